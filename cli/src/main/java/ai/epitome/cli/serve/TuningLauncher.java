package ai.epitome.cli.serve;

import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.serve.tuning.TuningProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Starts `epitome fine-tuning-job` for jobs of the service: by the same Java, from the same files. It steps back where
/// requests want the processors.
///
/// @param main the class of the `epitome` command
record TuningLauncher(Class<?> main, List<String> kernels) implements TuningProgram {
    private static final Path NICE = Path.of("/usr/bin/nice");

    @Override
    public Process start(Path folder) throws IOException {
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(NICE)) {
            command.addAll(List.of(NICE.toString(), "-n", "10"));
        }
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseParallelGC",
                "-XX:+UseCondCardMark",
                "-Djava.awt.headless=true",
                "-Depitome.home=" + TypedCommand.home(),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                TuningJobCommand.NAME,
                folder.toString()));
        command.addAll(kernels);
        return new ProcessBuilder(command).start();
    }
}
