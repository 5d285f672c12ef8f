package ai.epitome.cli.terminal;

/// What happens on Ctrl-C (and on SIGTERM): work is asked to stop, and the process waits for the thread that does it,
/// which saves its state and says its last words.
///
/// ```java
/// try (Interruption _ = new Interruption(run::requestStop)) {
///     run.train();
/// }
/// ```
public final class Interruption implements AutoCloseable {
    /// What shells expect of an interrupted program.
    public static final int EXIT_CODE = 130;

    private static final int PATIENCE_MILLIS = 120_000;
    private static volatile boolean underWay;

    private final Thread hook;

    /// @param stop asks the work of the calling thread to stop
    public Interruption(Runnable stop) {
        Thread worker = Thread.currentThread();
        hook = Thread.ofPlatform().unstarted(() -> {
            underWay = true;
            System.err.println();
            System.err.println("stopping after this step ...");
            stop.run();
            try {
                worker.join(PATIENCE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /// Whether the process ends because of it; the worker then has to return, not to call `System.exit`.
    public static boolean isUnderWay() {
        return underWay;
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
