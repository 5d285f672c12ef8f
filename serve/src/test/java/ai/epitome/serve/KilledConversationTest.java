package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.TestDatabases;
import ai.epitome.serve.conversation.ConversationStore;
import ai.epitome.serve.conversation.Message;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The service is killed while people write: what they were told is stored is there.
class KilledConversationTest {
    private static final int CLIENTS = 4;
    private static final int ANSWERS = 60;
    private static final JsonMapper JSON = new JsonMapper();

    /// Messages that a client was told of, by conversation.
    private final Map<String, ConcurrentLinkedQueue<JsonNode>> stored = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<JsonNode> ended = new ConcurrentLinkedQueue<>();

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    @ParameterizedTest
    @MethodSource("databases")
    void nothingIsLostThatAClientWasToldOf(String url) throws Exception {
        Process process = KilledServiceTest.serve(url);
        try (BufferedReader out = KilledServiceTest.output(process);
                var clients = Executors.newVirtualThreadPerTaskExecutor();
                HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create(ServedProcess.uri(out.readLine()) + "api/conversations/");
            clients.submit(() -> out.lines().count()); // keys that it makes
            for (int i = 0; i < CLIENTS; i++) {
                clients.submit(() -> write(http, uri));
            }
            while (ended.size() < ANSWERS && process.isAlive()) {
                Thread.sleep(2);
            }
            process.destroyForcibly().onExit().join(); // SIGKILL
        } finally {
            process.destroyForcibly();
        }
        assertThat(ended).hasSizeGreaterThanOrEqualTo(ANSWERS);
        try (Database database = Database.open(url)) {
            ConversationStore store = new ConversationStore(database);
            stored.forEach((id, messages) -> {
                List<Message> kept = store.messages("", id).messages();
                messages.forEach(told -> {
                    Message message = kept.get(told.path("number").intValue() - 1);
                    assertThat(message.parent()).isEqualTo(told.path("parent").intValue());
                    // An answer is told of when it begins and when it has ended.
                    if (!told.path("state").stringValue().equals("running")) {
                        assertThat(message.content())
                                .isEqualTo(told.path("content").stringValue());
                    }
                });
            });
        }
    }

    private static HttpResponse<Stream<String>> post(HttpClient http, URI uri, String body)
            throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(uri)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofLines());
    }

    /// Writes on in a text until the server is gone.
    private Void write(HttpClient http, URI uri) throws InterruptedException {
        try {
            String made = post(http, uri, "{\"mode\": \"text\", \"max_tokens\": 20}")
                    .body()
                    .findFirst()
                    .orElseThrow();
            String id = JSON.readTree(made).path("id").stringValue();
            stored.put(id, new ConcurrentLinkedQueue<>());
            int parent = 0;
            for (int i = 0; ; i++) {
                String body = "{\"content\": \"line " + i + "\", \"parent\": " + parent + "}";
                for (String line : (Iterable<String>)
                        post(http, uri.resolve(id + "/messages"), body).body()::iterator) {
                    parent = line.startsWith("data: ") ? take(id, JSON.readTree(line.substring(6)), parent) : parent;
                }
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            return null; // it was killed
        }
    }

    /// @return the newest message
    private int take(String id, JsonNode event, int parent) {
        if (event.has("messages")) {
            event.path("messages").values().forEach(stored.get(id)::add);
        } else if (event.has("number")) {
            stored.get(id).add(event);
            ended.add(event);
            return event.path("number").intValue();
        }
        return parent;
    }
}
