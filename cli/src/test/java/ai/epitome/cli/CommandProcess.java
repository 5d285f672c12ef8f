package ai.epitome.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The real command in a process of its own, so that it can be killed.
public final class CommandProcess implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 120;

    private final Process process;
    private final Path output;

    private CommandProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /// Starts `epitome ARGUMENTS`.
    ///
    /// @param folder where its output and its cache are kept
    public static CommandProcess start(Path folder, List<String> arguments) throws IOException {
        Path output = Files.createTempFile(folder, "output", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command(arguments))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .redirectInput(Path.of("/dev/null").toFile());
        return start(folder, builder, output);
    }

    /// Starts `epitome ARGUMENTS < IN > OUT`; its output is standard error.
    public static CommandProcess start(Path folder, List<String> arguments, Path in, Path out) throws IOException {
        Path errors = Files.createTempFile(folder, "errors", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command(arguments))
                .redirectError(errors.toFile())
                .redirectOutput(out.toFile())
                .redirectInput(in.toFile());
        return start(folder, builder, errors);
    }

    private static CommandProcess start(Path folder, ProcessBuilder builder, Path output) throws IOException {
        builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        builder.environment().put("XDG_DATA_HOME", folder.resolve("data").toString());
        return new CommandProcess(builder.start(), output);
    }

    private static List<String> command(List<String> arguments) {
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/env"))) {
            // A shell that runs the tests in the background has them ignore Ctrl-C, which is handed down.
            command.addAll(List.of("/usr/bin/env", "--default-signal=INT"));
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(arguments);
        return command;
    }

    /// Runs to the end and returns the exit code.
    public static int run(Path folder, List<String> arguments) throws IOException, InterruptedException {
        try (CommandProcess process = start(folder, arguments)) {
            return process.exitCode();
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /// SIGKILL, which a process cannot notice.
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    /// SIGINT, which Ctrl-C sends.
    public void interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid()))
                .start()
                .waitFor();
    }

    public int exitCode() throws InterruptedException {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("the command did not end");
        }
        return process.exitValue();
    }

    /// What it has printed so far.
    public String output() throws IOException {
        return Files.readString(output);
    }

    @Override
    public void close() {
        kill();
    }
}
