package ai.epitome.cli.terminal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file that goes away when the process is interrupted (Ctrl-C, SIGTERM) before it is whole.
public record Unfinished(Path file, Thread hook) implements AutoCloseable {
    public Unfinished(Path file) {
        this(file, Thread.ofPlatform().unstarted(() -> delete(file)));
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // The process ends: nobody is left to be told.
        }
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already: the hook does its work.
        }
    }
}
