package ai.epitome.train.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.train.policy.PolicySettings.Method;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.task.Task;
import ai.epitome.train.task.TaskKind;
import ai.epitome.train.task.TaskMixture;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RewardTest {
    private static Reply reply(Optional<Task> task, String text, boolean ended) {
        return new Reply(
                new Prompt(new int[] {1, 2}, "What?", List.of(), task),
                new int[] {5, 6},
                new float[] {-1, -2},
                text,
                ended);
    }

    @Test
    void rightAnswersThatEndAreWorthOne() {
        Task task = new TaskMixture(1, true).tasks(TaskKind.REVERSE, 1).getFirst();
        assertThat(new Reward.OfTasks()
                        .of(List.of(
                                reply(Optional.of(task), task.answer(), true),
                                reply(Optional.of(task), task.answer(), false),
                                reply(Optional.of(task), "x" + task.answer(), true))))
                .containsExactly(1, 0, 0);
    }

    @Test
    void aServiceIsAsked() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        String[] asked = new String[1];
        String[] answer = {"{\"rewards\": [0.5, -2]}"};
        server.createContext("/", exchange -> {
            asked[0] = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            byte[] body = answer[0].getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer[0].isEmpty() ? 500 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        URI address = URI.create(
                "http://127.0.0.1:%d/judge".formatted(server.getAddress().getPort()));
        List<Reply> replies = List.of(reply(Optional.empty(), "a \"b\"", true), reply(Optional.empty(), "c", true));
        try (Reward reward = new Reward.OfEndpoint(address)) {
            assertThat(reward.of(replies)).containsExactly(0.5, -2);
            JsonNode json = new JsonMapper().readTree(asked[0]);
            assertThat(json.path("answers").path(0).asString()).isEqualTo("a \"b\"");
            assertThat(json.path("prompts").size()).isEqualTo(2);
            answer[0] = "{\"rewards\": [1]}";
            assertThatThrownBy(() -> reward.of(replies)).hasMessageContaining("with 2 numbers, found 1");
            answer[0] = "{\"rewards\": [1, \"good\"]}";
            assertThatThrownBy(() -> reward.of(replies)).hasMessageContaining("gave the reward NaN for answer 2");
            answer[0] = "no";
            assertThatThrownBy(() -> reward.of(replies)).hasMessageContaining("answered with no JSON: no");
            answer[0] = "";
            assertThatThrownBy(() -> reward.of(replies)).hasMessageContaining("answered with status 500");
        } finally {
            server.stop(0);
        }
    }

    /// Numbers worked out by hand: prices 0.5, gamma 1, lambda 1, values 0.
    @Test
    void advantagesAreThoseOfTheMethod() {
        List<Reply> replies = List.of(reply(Optional.empty(), "a", true), reply(Optional.empty(), "b", true));
        double[] rewards = {2, 0};
        double[][] reference = {{-2, -2}, {-1, -3}};
        PolicySettings ppo = new PolicySettings(Method.PPO, 2, 1, 1, 1, 8, 0.2, 0.5, 0, 1, 1, 0.1, false, 0, 0);
        Experience experience = Experience.of(replies, rewards, reference, new double[2][2], ppo, 0.5);
        // d = log p - log ref: (1, 0) and (0, 1). Token rewards: (-0.5, 2) and (0, -0.5); returns (1.5, 2), (-0.5,
        // -0.5)
        assertThat(experience.returns()[0]).containsExactly(1.5, 2);
        assertThat(experience.returns()[1]).containsExactly(-0.5, -0.5);
        double mean = (1.5 + 2 - 0.5 - 0.5) / 4;
        double deviation =
                Math.sqrt((Math.pow(1.5 - mean, 2) + Math.pow(2 - mean, 2) + 2 * Math.pow(-0.5 - mean, 2)) / 4);
        assertThat(experience.advantages()[0][1]).isCloseTo((2 - mean) / deviation, within(1e-6));
        assertThat(experience.divergence()).isEqualTo(1);
        assertThat(experience.measures().get("entropy")).isEqualTo(1.5);

        PolicySettings grpo = new PolicySettings(Method.GRPO, 1, 2, 1, 1, 8, 0.2, 0.5, 0, 1, 1, 0, false, 0, 0);
        Experience compared = Experience.of(replies, rewards, reference, new double[2][2], grpo, 0.5);
        assertThat(compared.advantages()[0]).containsExactly(1, 1);
        assertThat(compared.advantages()[1]).containsExactly(-1, -1);
        assertThat(compared.part(List.of(1)).advantages()[0]).containsExactly(-1, -1);
    }

    @Test
    void rowsHoldPromptAnswerAndFiller() {
        ReplyRows rows = ReplyRows.of(List.of(reply(Optional.empty(), "ab", true)));
        assertThat(rows.batch().length()).isEqualTo(16);
        assertThat(rows.batch().inputs()).startsWith(1, 2, 5).endsWith(0, 0);
        assertThat(rows.batch().targets()).startsWith(-1, 5, 6, -1).endsWith(-1);
        assertThat(rows.batch().targetCount()).isEqualTo(2);
        assertThat(rows.batch().segmentStarts()).startsWith(0, 0, 0, 3, 4);
        assertThat(rows.place(0, 1)).isEqualTo(2);
    }
}
