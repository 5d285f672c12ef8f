package ai.epitome.cli.weights;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.text.chat.ChatTemplates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome lora`: what to do with adapters.
@Command(
        name = "lora",
        description = "Merge an adapter (LoRA, in PEFT's files) into its model.",
        mixinStandardHelpOptions = true,
        subcommands = LoraCommand.Merge.class,
        footer = {"", "Example: epitome lora merge models/wiki models/wiki-chat -o models/wiki-merged"})
public final class LoraCommand {

    @Command(
            name = "merge",
            description = "Write a model whose weights are a model's with an adapter added.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome lora merge models/wiki models/wiki-chat -o models/wiki-merged"})
    static final class Merge implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "MODEL", description = "The model that the adapter was made for.")
        private Path source;

        @Parameters(index = "1", paramLabel = "ADAPTER", description = "Folder with adapter_config.json.")
        private Path adapterFolder;

        @Option(
                names = {"-o", "--model"},
                required = true,
                paramLabel = "FOLDER",
                description = "Where the merged model is kept; a new folder.")
        private Path folder;

        @Override
        public Integer call() throws IOException {
            if (Files.exists(folder.resolve(ModelFolder.CONFIG))) {
                throw new IllegalArgumentException(folder + " holds a model already; give another folder");
            }
            try (LoadedModel model = LoadedModel.open(source)) {
                if (model.transformer().parameters().stream().anyMatch(parameter -> parameter.blocks() != null)) {
                    throw new IllegalArgumentException(
                            "%s is quantised, and an adapter cannot be merged into its weights: `epitome export %s -o FOLDER` makes a model of them whose weights can change, or serve both with --adapter"
                                    .formatted(source, source));
                }
                AdapterFolder.load(adapterFolder, model.transformer()).merge();
                ModelFolder.save(folder, model.transformer(), model.defaultsOf(adapterFolder));
            }
            copy(source, List.of("tokenizer.json", "tokenizer.model"));
            copy(adapterFolder, List.of("tokenizer.json", ChatTemplates.FILE));
            System.err.println("merged: " + folder);
            return 0;
        }

        private void copy(Path from, List<String> names) throws IOException {
            for (String name : names) {
                if (Files.exists(from.resolve(name))) {
                    Files.copy(from.resolve(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }
}
