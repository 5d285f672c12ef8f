package ai.epitome.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandProcess;
import ai.epitome.cli.terminal.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `epitome up` twice, in processes of their own: the second has only what the first left in the model's folder.
@DisabledOnOs(OS.WINDOWS)
class UpCommandTest {
    private static final Pattern SERVED = Pattern.compile("model is served at (http\\S+)");

    @TempDir
    Path folder;

    @Test
    void thePageTellsOfAFinishedRunWhatItToldWhenItEnded() throws IOException, InterruptedException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(500));
        JsonNode first =
                up(text, "--depth", "1", "--context", "32", "--batch", "2", "--steps", "12", "--evaluate", "6");
        JsonNode second = up(text);
        assertThat(first.path("baselines").size()).isEqualTo(4);
        assertThat(first.path("samples").size()).isEqualTo(2);
        for (String part : List.of("description", "baselines", "status", "samples")) {
            assertThat(second.path(part)).as(part).isEqualTo(first.path(part));
        }
        assertThat(measured(second)).isEqualTo(measured(first)).hasSize(2);
        assertThat(second.path("latest").path("step").asInt()).isEqualTo(12);
        assertThat(second.path("training").size()).isEqualTo(12);
    }

    /// The model learns to answer after it has read, and both are served, also when all is done.
    @Test
    void afterReadingTheModelLearnsToAnswer() throws IOException, InterruptedException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(500));
        for (String more : List.of("--depth 1 --context 128 --batch 2 --steps 3", "--tokenizer auto")) {
            JsonNode answer = up(text, UpCommandTest::answered, more.split(" "));
            assertThat(answer.path("model").asString()).isEqualTo("model-chat");
            assertThat(answer.path("choices")
                            .path(0)
                            .path("message")
                            .path("role")
                            .asString())
                    .isEqualTo("assistant");
        }
        assertThat(folder.resolve("model-chat/report.md")).exists();
        assertThat(folder.resolve("model/chat_template.jinja")).doesNotExist();
    }

    private static JsonNode answered(URI page) throws IOException, InterruptedException {
        String body =
                "{\"model\": \"model-chat\", \"max_tokens\": 4, \"messages\": [{\"role\": \"user\", \"content\": \"Hi!\"}]}";
        HttpRequest request = HttpRequest.newBuilder(page.resolve("v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            return Json.MAPPER.readTree(response.body());
        }
    }

    private static List<String> measured(JsonNode history) {
        return history.path("held_out")
                .valueStream()
                .map(point -> point.path("step") + " " + point.path("held_out_bits_per_byte"))
                .toList();
    }

    /// What a page gets that is opened once the model is served.
    private JsonNode up(Path text, String... more) throws IOException, InterruptedException {
        return up(text, UpCommandTest::history, more);
    }

    /// Asks the service something.
    private interface Question {
        JsonNode ask(URI page) throws IOException, InterruptedException;
    }

    private JsonNode up(Path text, Question question, String... more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("up", "--text", text.toString(), "--port", "0"));
        arguments.addAll(List.of("--model", folder.resolve("model").toString(), "--threads", "1"));
        arguments.addAll(List.of(more));
        try (CommandProcess process = CommandProcess.start(folder, arguments)) {
            Matcher served = SERVED.matcher(process.output());
            while (!served.find()) {
                assertThat(process.isAlive()).as(process.output()).isTrue();
                Thread.sleep(20);
                served.reset(process.output());
            }
            return question.ask(URI.create(served.group(1)));
        }
    }

    private static JsonNode history(URI page) throws IOException {
        try (var lines = new BufferedReader(
                new InputStreamReader(page.resolve("api/progress").toURL().openStream(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo("event: history");
            return Json.MAPPER.readTree(lines.readLine().substring("data: ".length()));
        }
    }
}
