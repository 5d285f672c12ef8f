package ai.epitome.cli;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// What happens on Ctrl-C (and on SIGTERM): work is asked to stop, and the process waits until it has saved its
/// state.
final class Interruption {
    /// What shells expect of an interrupted program.
    static final int EXIT_CODE = 130;

    private static final int PATIENCE_SECONDS = 120;

    private Interruption() {}

    /// Work that can be asked to stop; returns whether it came to its end.
    @FunctionalInterface
    interface Work {
        boolean run() throws IOException;
    }

    static boolean run(Runnable stop, Work work) throws IOException {
        CountDownLatch saved = new CountDownLatch(1);
        Thread hook = Thread.ofPlatform().unstarted(() -> {
            System.err.println();
            System.err.println("stopping after this step ...");
            stop.run();
            try {
                saved.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            boolean complete = work.run();
            removeHook(hook);
            return complete;
        } finally {
            saved.countDown();
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already: the hook has done its work.
        }
    }
}
