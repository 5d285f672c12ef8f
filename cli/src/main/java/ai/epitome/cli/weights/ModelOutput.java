package ai.epitome.cli.weights;

import ai.epitome.cli.terminal.Interruption;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.StatusLine;
import ai.epitome.cli.terminal.Terminal;
import ai.epitome.model.export.Exported;
import ai.epitome.model.export.StoredModel;
import ai.epitome.model.file.MalformedModelException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.DoubleConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/// What commands share that write a model anew: which model, where to, and how it goes. Ctrl-C leaves nothing behind.
final class ModelOutput {
    @Parameters(index = "0", paramLabel = "MODEL", description = "Model: a folder, a GGUF file, or one of llama2.c.")
    private Path source;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            required = true,
            description = "Where it goes.")
    private Path target;

    @Option(
            names = {"-f", "--force"},
            description = "Replace a file that is there.")
    private boolean force;

    @Option(names = "--json", description = "Print one JSON object of what was written.")
    private boolean json;

    /// Writes a model to a file or folder.
    @FunctionalInterface
    interface Writing {
        Exported write(StoredModel model, Path target, DoubleConsumer progress) throws IOException;
    }

    Path target() {
        return target;
    }

    /// Writes the model and says what came of it.
    ///
    /// @return the exit code
    int write(Writing writing) throws IOException {
        requireTarget();
        AtomicBoolean stopped = new AtomicBoolean();
        StatusLine line = new StatusLine(System.err, Terminal.errorIsOne());
        try (StoredModel model = StoredModel.open(source);
                Interruption _ = new Interruption(() -> stopped.set(true))) {
            long began = System.nanoTime();
            Exported exported = writing.write(model, target, part -> {
                if (stopped.get()) {
                    throw new CancellationException();
                }
                line.show(String.format(Locale.ROOT, "%s: %3.0f %%", target, 100 * part));
            });
            line.show("");
            print(exported, (System.nanoTime() - began) / 1e9);
            return 0;
        } catch (CancellationException e) {
            System.err.println("stopped: nothing was written");
            return Interruption.EXIT_CODE;
        } catch (MalformedModelException | FileSystemException e) {
            throw e; // which name their file
        } catch (IOException e) {
            throw new IOException(
                    "%s cannot be written, and nothing of it is left: %s".formatted(target, e.getMessage()), e);
        }
    }

    /// A slip must neither replace a model nor be noticed after minutes of work.
    private void requireTarget() throws IOException {
        Path folder = target.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(target)) {
            throw new IllegalArgumentException(
                    "%s is a folder that is there already; give another name".formatted(target));
        }
        if (!Files.exists(folder)) {
            throw new NoSuchFileException(folder.toString());
        }
        if (!Files.isDirectory(folder)) {
            throw new NotDirectoryException(folder.toString());
        }
        if (Files.exists(target) && Files.exists(source) && Files.isSameFile(source, target)) {
            throw new IllegalArgumentException("%s is the model that is read; give another name".formatted(target));
        }
        if (Files.exists(target) && !force) {
            throw new IllegalArgumentException("%s is there already; -f replaces it".formatted(target));
        }
    }

    private void print(Exported exported, double seconds) throws IOException {
        PrintStream out = StandardText.output();
        long bytes = size(target);
        if (json) {
            ObjectNode object = Json.MAPPER.createObjectNode();
            object.put("file", target.toString()).put("bytes", bytes).put("seconds", seconds);
            ObjectNode tensors = object.putObject("tensors");
            exported.tensors().forEach((format, count) -> tensors.put(format.name(), count));
            exported.notes().forEach(object.putArray("notes")::add);
            out.println(object);
        } else {
            String tensors = exported.tensors().entrySet().stream()
                    .map(entry -> entry.getValue() + " " + entry.getKey())
                    .collect(Collectors.joining(", "));
            out.printf(Locale.ROOT, "%s: %,d bytes in %.1f s; tensors: %s%n", target, bytes, seconds, tensors);
            exported.notes().forEach(note -> out.println("note: " + note));
        }
        out.flush();
    }

    /// Bytes of a file, or of all files of a folder.
    private static long size(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return Files.size(path);
        }
        long sum = 0;
        try (Stream<Path> files = Files.list(path)) {
            for (Path file : files.toList()) {
                sum += Files.size(file);
            }
        }
        return sum;
    }
}
