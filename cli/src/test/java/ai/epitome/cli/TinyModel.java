package ai.epitome.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// A model of one layer that `epitome pretrain` made from a short text, its tokens bytes, for tests to use.
public record TinyModel(Path text, Path model, CommandResult trained) {
    public static TinyModel in(Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(500));
        Path model = folder.resolve("tiny");
        CommandResult trained = pretrain(text, model, "--steps", "12", "--evaluate", "6");
        assertThat(trained.code()).as(trained.err()).isZero();
        return new TinyModel(text, model, trained);
    }

    public static CommandResult pretrain(Path text, Path model, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("pretrain", text.toString(), "-o", model.toString()));
        arguments.addAll(List.of("--depth", "1", "--context", "32", "--batch", "2", "--threads", "1"));
        arguments.addAll(Arrays.asList(more));
        return CommandResult.run(arguments.toArray(String[]::new));
    }

    /// A copy of the model beside it, to be changed.
    public Path copy(String name) throws IOException {
        Path to = Files.createDirectories(model.resolveSibling(name));
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        return to;
    }
}
