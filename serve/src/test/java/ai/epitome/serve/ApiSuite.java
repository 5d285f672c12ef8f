package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The tests that ask the service as its clients do, by OpenAI's and LangChain4j's libraries, and what each of them has
/// to ask: every body and every event that they get is validated ([OpenAiShapes]), and [ApiSuiteTest] holds that all
/// together ask enough, of every route.
enum ApiSuite {
    COMPLETIONS(32, 4, "GET /v1/models", "GET /v1/models/*", "POST /v1/completions"),
    CHAT(14, 1, "POST /v1/chat/completions"),
    CHOICES(16, 2, "POST /v1/chat/completions", "POST /v1/completions"),
    CALLS(40, 1, "POST /v1/chat/completions"),
    RESPONSES(
            55,
            3,
            "POST /v1/responses",
            "GET /v1/responses/*",
            "DELETE /v1/responses/*",
            "POST /v1/responses/*/cancel",
            "GET /v1/responses/*/input_items",
            "POST /v1/conversations",
            "GET /v1/conversations/*",
            "POST /v1/conversations/*",
            "DELETE /v1/conversations/*",
            "GET /v1/conversations/*/items",
            "POST /v1/conversations/*/items",
            "GET /v1/conversations/*/items/*",
            "DELETE /v1/conversations/*/items/*"),
    ANALYSIS(23, 0, "POST /v1/embeddings", "POST /v1/moderations"),
    BATCHES(
            35,
            0,
            "POST /v1/files",
            "GET /v1/files",
            "GET /v1/files/*",
            "DELETE /v1/files/*",
            "GET /v1/files/*/content",
            "POST /v1/batches",
            "GET /v1/batches",
            "GET /v1/batches/*"),
    CANCELLED_BATCHES(4, 0, "POST /v1/files", "POST /v1/batches", "GET /v1/batches/*", "POST /v1/batches/*/cancel"),
    FINE_TUNING(
            18,
            0,
            "POST /v1/files",
            "POST /v1/fine_tuning/jobs",
            "GET /v1/fine_tuning/jobs",
            "GET /v1/fine_tuning/jobs/*",
            "GET /v1/fine_tuning/jobs/*/events",
            "GET /v1/fine_tuning/jobs/*/checkpoints",
            "POST /v1/fine_tuning/jobs/*/cancel",
            "POST /v1/fine_tuning/jobs/*/pause",
            "POST /v1/fine_tuning/jobs/*/resume",
            "GET /v1/models/*",
            "DELETE /v1/models/*"),
    TOKENS(14, 0, "POST /tokenize", "POST /detokenize"),
    LANGCHAIN(
            15, 2, "POST /v1/chat/completions", "POST /v1/completions", "POST /v1/embeddings", "POST /v1/moderations");

    /// Requests at least, and how many of them with an answer as a stream.
    final int requests;

    final int streams;
    final Set<String> routes;

    ApiSuite(int requests, int streams, String... routes) {
        this.requests = requests;
        this.streams = streams;
        this.routes = Set.of(routes);
    }

    /// Looks at all that was asked and answered.
    void check(List<Exchange> exchanges) {
        List<String> faults = exchanges.stream()
                .flatMap(exchange -> OpenAiShapes.faults(exchange).stream())
                .toList();
        assertThat(faults).isEmpty();
        Set<String> asked = exchanges.stream()
                .filter(exchange -> exchange.status() == 200)
                .map(OpenAiShapes::route)
                .flatMap(Optional::stream)
                .collect(Collectors.toCollection(TreeSet::new));
        long streamed = exchanges.stream().filter(Exchange::streamed).count();
        assertThat(asked).containsAll(routes);
        assertThat(exchanges).hasSizeGreaterThanOrEqualTo(requests);
        assertThat(streamed).isGreaterThanOrEqualTo(streams);
    }
}
