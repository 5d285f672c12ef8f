package ai.epitome.model;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// Cuts files of models in the midst of a pass, for [MappedFileTest]: in a process of its own, which might end by that.
/// Arguments: kernels, then files of quantised models. One is cut in its first pass, the next in its second, in which
/// weights are packed, and so on.
final class CutModelProbe {
    private CutModelProbe() {}

    public static void main(String[] arguments) throws IOException {
        Backend backend = Backend.of(Backend.Kernels.valueOf(arguments[0]), Backend.Precision.AUTO, 2);
        for (int i = 1; i < arguments.length; i++) {
            Path file = Path.of(arguments[i]);
            try (LoadedModel model = LoadedModel.open(file)) {
                if (i % 2 == 0) {
                    pass(model.transformer(), backend, () -> {});
                }
                pass(model.transformer(), backend, () -> cut(file));
                System.out.println(file + ": not noticed");
            } catch (UncheckedIOException e) {
                System.out.println(e.getMessage());
            }
        }
        backend.workers().close();
    }

    private static void pass(Transformer model, Backend backend, Runnable meanwhile) {
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, false);
            int heads = model.config().heads() * model.config().headDimension();
            model.hidden(tape, new int[] {1}, new int[] {0}, List.of(), (_, _) -> {
                meanwhile.run();
                return arena.allocate(DType.F32, 1, heads);
            });
        }
    }

    private static void cut(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(4096);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
