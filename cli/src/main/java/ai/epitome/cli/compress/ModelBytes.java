package ai.epitome.cli.compress;

import ai.epitome.cli.terminal.Json;
import ai.epitome.compress.ModelHashes;
import ai.epitome.model.LoadedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.node.ObjectNode;

/// What a reader of archives has to be given once: the files of a model whose hashes an archive holds, as they are
/// stored.
///
/// @param parameters weights that it has
/// @param weights bytes of its safetensors files, or of the one file that it is
/// @param tokenizer bytes of `tokenizer.json` or `tokenizer.model`, or of the tokenizer beside a file
/// @param config bytes of what else is hashed, `config.json` above all
record ModelBytes(long parameters, long weights, long tokenizer, long config) {
    private static final int BF16_BYTES = 2;

    static ModelBytes of(Path source) throws IOException {
        long weights = 0;
        long tokenizer = 0;
        long config = 0;
        for (Path file : ModelHashes.files(source)) {
            String name = file.getFileName().toString();
            long size = Files.size(file);
            if (name.endsWith(".safetensors") || file.equals(source)) {
                weights += size;
            } else if (name.endsWith(".json") && !name.startsWith("tokenizer.")) {
                config += size;
            } else {
                tokenizer += size;
            }
        }
        return new ModelBytes(LoadedModel.config(source).parameters(), weights, tokenizer, config);
    }

    long total() {
        return weights + tokenizer + config;
    }

    /// The same with two bytes a weight. Rounded weights are another model, whose archives have other sizes.
    long asBf16() {
        return Math.min(weights, BF16_BYTES * parameters) + tokenizer + config;
    }

    /// `{"parameters": ..., "weights": ..., "tokenizer": ..., "config": ..., "bytes": ..., "bf16_bytes": ...}`
    ObjectNode toJson() {
        return Json.MAPPER
                .createObjectNode()
                .put("parameters", parameters)
                .put("weights", weights)
                .put("tokenizer", tokenizer)
                .put("config", config)
                .put("bytes", total())
                .put("bf16_bytes", asBf16());
    }
}
