package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the suites ask together, and that the shapes find what is wrong.
class ApiSuiteTest {
    private static final int REQUESTS = 60;

    @Test
    void theSuitesAskEnoughOfEveryRoute() {
        assertThat(Arrays.stream(ApiSuite.values())
                        .mapToInt(suite -> suite.requests)
                        .sum())
                .isGreaterThanOrEqualTo(REQUESTS);
        assertThat(Arrays.stream(ApiSuite.values())
                        .flatMap(suite -> suite.routes.stream())
                        .collect(Collectors.toSet()))
                .containsExactlyInAnyOrderElementsOf(OpenAiShapes.routes());
    }

    @Test
    void everyRouteHasAShape() {
        Set<String> known = OpenAiShapes.routes().stream()
                .map(route -> route.replace("*", "x"))
                .collect(Collectors.toSet());
        try (TestServer server = TestServer.start()) {
            var list = new RouteList();
            server.server.routes(list, Optional.empty());
            assertThat(list.answered().stream()
                            .filter(route -> route.path().startsWith("/v1/"))
                            .map(route -> route.method().text() + " " + route.path())
                            .collect(Collectors.toSet()))
                    .isSubsetOf(known)
                    .hasSize(known.size() - 2); // and /tokenize, /detokenize
        }
    }

    private static final String CHUNK = "{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1700000000,"
            + "\"model\":\"m\",\"choices\":[{\"text\":\"a\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}";

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "\"id\":\"cmpl-1\", ~ ''",
                "1700000000 ~ \"1700000000\"",
                "\"index\":0 ~ \"index\":-1",
                "\"finish_reason\":null ~ \"finish_reason\":\"done\"",
                "\"text\":\"a\", ~ \"text\":\"a\",\"more\":1,",
                "text_completion ~ completion",
            })
    void shapesAreStrict(String right, String wrong) {
        assertThat(OpenAiShapes.faults("text_completion.chunk", CHUNK)).isEmpty();
        String changed = CHUNK.replace(right, wrong);
        assertThat(changed).isNotEqualTo(CHUNK);
        assertThat(OpenAiShapes.faults("text_completion.chunk", changed)).isNotEmpty();
    }

    private static List<String> streamed(String body, boolean whole) {
        return OpenAiShapes.faults(new Exchange(
                "POST",
                "/v1/completions",
                new byte[0],
                200,
                "text/event-stream; charset=utf-8",
                body.getBytes(StandardCharsets.UTF_8),
                whole));
    }

    @Test
    void streamsEndWithTheirLastEvent() {
        String event = "data: " + CHUNK + "\n\n";
        String end = "data: [DONE]\n\n";
        assertThat(streamed(event + event + end, true)).isEmpty();
        assertThat(streamed(event + "data: {\"id", false)).isEmpty();
        assertThat(streamed(event, true)).isNotEmpty();
        assertThat(streamed(event + end + event + end, true)).isNotEmpty();
        assertThat(streamed(event + event + end.strip(), true)).isNotEmpty();
        assertThat(streamed("event: x\n" + event + end, true)).isNotEmpty();
    }
}
