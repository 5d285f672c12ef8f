package ai.epitome.bench;

import ai.epitome.bench.ApiClient.Answer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Clients of a service in a process of their own, held to one processor, so that they take no time of the service's.
/// Each line that the process is sent is a round: bodies of requests, which are asked at once, a thread each.
final class StreamClients implements AutoCloseable {
    private static final String BETWEEN = "\t";

    private final Process process;
    private final Writer to;
    private final BufferedReader from;

    private StreamClients(Process process) {
        this.process = process;
        this.to = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
        this.from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /// What the clients of a round were told.
    ///
    /// @param tokens of all answers
    /// @param firsts milliseconds from each request to the first piece of its text
    record Told(long tokens, List<Double> firsts) {}

    /// @param processor as `taskset` counts them
    static StreamClients start(URI uri, int processor) throws IOException {
        List<String> command = List.of(
                "taskset",
                "-c",
                String.valueOf(processor),
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "clients",
                uri.toString());
        return new StreamClients(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    Told ask(List<String> bodies) throws IOException {
        to.write(String.join(BETWEEN, bodies) + "\n");
        to.flush();
        String line = from.readLine();
        if (line == null) {
            throw new IOException("the clients' process has ended");
        }
        String[] numbers = line.split(BETWEEN);
        List<Double> firsts = new ArrayList<>();
        for (int i = 1; i < numbers.length; i++) {
            firsts.add(Double.valueOf(numbers[i]));
        }
        return new Told(Long.parseLong(numbers[0]), firsts);
    }

    @Override
    public void close() throws IOException {
        to.close();
        process.onExit().join();
    }

    /// The process of the clients: until there are no more lines.
    static void run(URI uri) throws IOException {
        ApiClient client = new ApiClient(uri);
        BufferedReader rounds = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = rounds.readLine(); line != null; line = rounds.readLine()) {
            System.out.println(round(client, List.of(line.split(BETWEEN))));
        }
    }

    private static String round(ApiClient client, List<String> bodies) throws IOException {
        long tokens = 0;
        StringBuilder firsts = new StringBuilder();
        try (var threads =
                Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            List<Future<Answer>> answers = bodies.stream()
                    .map(body -> threads.submit(() -> client.drain("v1/completions", body)))
                    .toList();
            for (Future<Answer> each : answers) {
                Answer answer = each.get();
                if (answer.status() != 200) {
                    throw new IOException("status " + answer.status());
                }
                tokens += answer.usage().orElseThrow().completion();
                firsts.append(BETWEEN).append(answer.firstNanos() / 1e6);
            }
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            throw new UncheckedIOException(new IOException(e));
        }
        return tokens + firsts.toString();
    }
}
