package ai.epitome.serve.tuning;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;

/// A [TuningProgram] that is running.
final class TuningProcess {
    private static final int LAST_WORDS = 20;
    private static final Duration LISTENED = Duration.ofSeconds(1);

    private final Process process;
    private final Deque<String> lastWords = new ArrayDeque<>();
    private final Thread listening;
    private volatile boolean told;

    private TuningProcess(Process process) {
        this.process = process;
        this.listening = Thread.ofVirtual().name("last words of training").start(this::listen);
    }

    static TuningProcess start(TuningProgram program, Path folder) throws IOException {
        return new TuningProcess(program.start(folder));
    }

    /// Keeps the end of what it says on its standard error.
    private void listen() {
        try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                remember(line);
            }
        } catch (IOException e) {
            // It has ended.
        }
    }

    private void remember(String line) {
        synchronized (lastWords) {
            lastWords.addLast(line);
            if (lastWords.size() > LAST_WORDS) {
                lastWords.removeFirst();
            }
        }
    }

    /// Hears what it tells, to its end. Java's own warnings come between; what looks like an event and is none ends it.
    void follow(Consumer<TuningEvent> listener) throws InterruptedException {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = next(lines); line != null; line = next(lines)) {
                Optional<TuningEvent> event = event(line);
                if (event.isPresent()) {
                    told |= event.get() instanceof TuningEvent.Finished || event.get() instanceof TuningEvent.Failed;
                    listener.accept(event.get());
                }
            }
            process.waitFor();
            listening.join(LISTENED); // what it has started itself may still hold its standard error
        } catch (IOException e) {
            remember(e.toString());
        } finally {
            process.destroyForcibly();
        }
    }

    /// @return null at the end, and where the process has been killed, which closes its streams
    private static String next(BufferedReader lines) {
        try {
            return lines.readLine();
        } catch (IOException e) {
            return null;
        }
    }

    private Optional<TuningEvent> event(String line) {
        if (!line.startsWith("{")) {
            remember(line);
            return Optional.empty();
        }
        try {
            return Optional.of(TuningEvent.parse(line));
        } catch (IllegalArgumentException e) {
            remember(e.getMessage());
            process.destroyForcibly();
            return Optional.empty();
        }
    }

    /// Why it ended, where it has not told how the job ends.
    Optional<String> failure() {
        if (told) {
            return Optional.empty();
        }
        synchronized (lastWords) {
            String words = lastWords.isEmpty() ? "it said nothing" : String.join("\n", lastWords);
            return Optional.of("exit status " + process.exitValue() + ": " + words);
        }
    }

    /// Asks it to keep a checkpoint and end.
    void askToStop() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended.
        }
    }

    void kill() {
        process.destroyForcibly();
    }
}
