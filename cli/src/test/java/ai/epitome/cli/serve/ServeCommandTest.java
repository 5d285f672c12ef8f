package ai.epitome.cli.serve;

import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandProcess;
import ai.epitome.cli.CommandResult;
import ai.epitome.cli.TinyModel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The real command: who needs a key, and where the first one comes from.
class ServeCommandTest {
    private static final Pattern SERVING = Pattern.compile("serving .* at http://([^ ]+):(\\d+)/");
    private static final Pattern KEY = Pattern.compile("API key, shown this once: (ep-[A-Za-z0-9_-]{43})");

    @TempDir
    static Path folder;

    private static TinyModel tiny;

    @BeforeAll
    static void trains() throws IOException {
        tiny = TinyModel.in(folder);
    }

    /// What a served command has said of itself, and what it answers without a key and with the one that it made.
    private record Served(String host, Optional<String> key, int withoutKey, int withKey) {}

    private static Served serve(String... more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("serve", tiny.model().toString(), "--port", "0"));
        arguments.addAll(List.of(more));
        try (CommandProcess process = CommandProcess.start(folder, arguments);
                HttpClient http = HttpClient.newHttpClient()) {
            Matcher serving = SERVING.matcher(process.output());
            while (!serving.find()) {
                assertThat(process.isAlive()).as(process.output()).isTrue();
                Thread.sleep(20);
                serving = SERVING.matcher(process.output());
            }
            Matcher key = KEY.matcher(process.output());
            Optional<String> made = key.find() ? Optional.of(key.group(1)) : Optional.empty();
            int port = Integer.parseInt(serving.group(2));
            return new Served(
                    serving.group(1), made, status(http, port, "none"), status(http, port, made.orElse("none")));
        }
    }

    private static int status(HttpClient http, int port, String key) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/models"))
                .header("Authorization", "Bearer " + key)
                .build();
        return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    @Test
    void onlyThisMachineAndNoKeyUnlessAsked() throws Exception {
        Served served = serve("--database", folder.resolve("local.db").toString());
        assertThat(served).isEqualTo(new Served("127.0.0.1", Optional.empty(), 200, 200));
    }

    @Test
    void anyOtherAddressNeedsAKeyAndMakesTheFirst() throws Exception {
        String database = folder.resolve("others.db").toString();
        Served first = serve("--host", "0.0.0.0", "--database", database);
        assertThat(first.key()).isPresent();
        assertThat(first).isEqualTo(new Served("0.0.0.0", first.key(), 401, 200));
        Served second = serve("--host", "0.0.0.0", "--database", database);
        assertThat(second.key()).as("there is one already").isEmpty();
        assertThat(second.withoutKey()).isEqualTo(401);
    }

    @Test
    void aKeyCanBeNeededHereToo() throws Exception {
        Served served = serve(
                "--require-key", "--database", folder.resolve("required.db").toString());
        assertThat(served.key()).isPresent();
        assertThat(served).isEqualTo(new Served("127.0.0.1", served.key(), 401, 200));
    }

    @Test
    void aModelWithoutTokenizerIsToldToGetOne() throws IOException {
        Path silent = tiny.copy("silent");
        Files.delete(silent.resolve("tokenizer.json"));
        run("serve", silent.toString(), "--port", "0").assertFails("silent has no tokenizer, so", "put the one");
        run("generate", silent.toString(), "to be").assertFails("silent has no tokenizer, so", "put the one");
    }

    @Test
    void aPortInUseIsToldInOneLine() throws IOException {
        String database = folder.resolve("in-use.db").toString(); // not that of whoever runs the tests
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = String.valueOf(taken.getLocalPort());
            CommandResult result = run("serve", tiny.model().toString(), "--port", port, "--database", database);
            result.assertFails("127.0.0.1:" + port, "in use", "--port 0");
            run("up", "--model", tiny.model().toString(), "--port", port, "--database", database)
                    .assertFails("in use");
        }
        run("serve", tiny.model().toString(), tiny.model().toString(), "--port", "0", "--database", database)
                .assertFails("two of the models are called tiny");
        run("serve", tiny.model().toString(), "--port", "70000", "--database", database)
                .assertFails("between 0", "65535", "70000");
    }
}
