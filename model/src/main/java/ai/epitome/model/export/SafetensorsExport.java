package ai.epitome.model.export;

import ai.epitome.model.export.WeightShapes.Shape;
import ai.epitome.model.file.AtomicFile;
import ai.epitome.model.file.JsonObject;
import ai.epitome.model.huggingface.ConfigFile;
import ai.epitome.model.huggingface.GenerationConfigFile;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.SafetensorsWriter;
import ai.epitome.model.huggingface.SafetensorsWriter.Declaration;
import ai.epitome.model.huggingface.WeightFiles;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A model as a folder that transformers opens: what [ModelFolder] reads.
///
/// ```text
/// config.json  generation_config.json  model.safetensors
/// tokenizer.json  tokenizer_config.json                         where it has a tokenizer
/// tokenizer.model                                               where that is SentencePiece's, which it says exactly
/// chat_template.jinja                                           where it has one; several are in tokenizer_config.json
/// ```
public final class SafetensorsExport {
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";

    private final StoredModel model;
    private final DType dtype;
    private final BlockFormat format;
    private final List<String> notes = new ArrayList<>();

    private SafetensorsExport(StoredModel model, DType dtype) {
        this.model = model;
        this.dtype = dtype;
        this.format = BlockFormat.valueOf(dtype.name());
    }

    /// Writes `folder`, whole or not at all; it must not be there.
    ///
    /// @param dtype of all weights: F32, BF16 or F16
    /// @param progress hears which part has been written; what it throws ends the work
    /// @throws IllegalArgumentException if the numbers cannot hold a weight
    public static Exported write(StoredModel model, DType dtype, Path folder, DoubleConsumer progress)
            throws IOException {
        SafetensorsExport export = new SafetensorsExport(model, dtype);
        Path unfinished = AtomicFile.beside(folder);
        delete(unfinished); // of a process that was killed
        Files.createDirectory(unfinished);
        try {
            export.companions(unfinished);
            export.weights(unfinished.resolve(WeightFiles.SINGLE), progress);
            Files.move(unfinished, folder);
        } catch (IOException | RuntimeException e) {
            delete(unfinished);
            throw e;
        }
        List<BlockFormat> formats = Collections.nCopies(model.weights().size(), export.format);
        return new Exported(export.notes, Exported.count(formats));
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private void companions(Path folder) throws IOException {
        TransformerConfig config = model.config();
        if (Layout.of(config) == Layout.EPITOME) {
            notes.add(
                    "transformers has no model of this mix of norm, positions, activation and biases: Epitome opens the"
                            + " folder, transformers does not");
        }
        Files.writeString(folder.resolve(ModelFolder.CONFIG), ConfigFile.write(config, model.defaults(), dtype));
        Files.writeString(folder.resolve(GenerationConfigFile.NAME), GenerationConfigFile.write(model.defaults()));
        String template = model.chatTemplates().get(ChatTemplates.DEFAULT);
        if (template != null && model.chatTemplates().size() == 1) {
            Files.writeString(folder.resolve(ChatTemplates.FILE), template);
        }
        if (model.tokenizer().isPresent()) {
            tokenizer(folder, model.tokenizer().get());
        }
    }

    private void tokenizer(Path folder, Tokenizer tokenizer) throws IOException {
        for (Map.Entry<String, byte[]> file : Tokenizers.toFiles(tokenizer).entrySet()) {
            Files.write(folder.resolve(file.getKey()), file.getValue());
        }
        ObjectNode json = JsonObject.MAPPER.createObjectNode();
        // any other class would split text in its own way, whatever tokenizer.json says
        json.put("tokenizer_class", "PreTrainedTokenizerFast");
        json.put("clean_up_tokenization_spaces", false);
        json.put("model_max_length", model.config().context());
        tokenizer.specialTokens().forEach((name, id) -> {
            if (model.defaults().beginOfText().orElse(-1) == id) {
                json.put("bos_token", name);
            }
            if (model.defaults().endOfText().contains(id) && !json.has("eos_token")
                    || tokenizer.endOfText().orElse(-1) == id) {
                json.put("eos_token", name);
            }
        });
        if (model.chatTemplates().size() > 1) {
            ArrayNode templates = json.putArray("chat_template");
            model.chatTemplates()
                    .forEach((name, template) ->
                            templates.addObject().put("name", name).put("template", template));
        }
        Files.write(
                folder.resolve(TOKENIZER_CONFIG),
                (JsonObject.MAPPER.writeValueAsString(json) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private void weights(Path file, DoubleConsumer progress) throws IOException {
        Map<String, StoredWeight> weights = new HashMap<>();
        List<Declaration> tensors = new ArrayList<>();
        long values = 0;
        for (StoredWeight weight : model.weights()) {
            Shape shape = weight.shape();
            weights.put(shape.name(), weight);
            tensors.add(new Declaration(shape.name(), dtype, shape.fileShape()));
            values += shape.values();
        }
        RowEncoding rows = new RowEncoding(values, progress);
        SafetensorsWriter.write(file, Map.of("format", "pt"), tensors, (tensor, channel) -> {
            StoredWeight weight = weights.get(tensor.name());
            rows.write(channel, weight.shape().transposed() ? weight.transposed() : weight, format);
        });
    }
}
