package ai.epitome.train.pretrain;

import ai.epitome.train.data.Dataset;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What `data.json` in a model's folder says of the data that the model was trained on.
///
/// @param sizes bytes of each file
/// @param packed whether rows hold whole documents side by side; empty in files of earlier builds
public record DataRecord(List<Long> sizes, Optional<Boolean> packed) {
    /// What its file is called.
    public static final String FILE = "data.json";

    private static final String PACKED = "packed";
    private static final JsonMapper JSON = new JsonMapper();

    public DataRecord {
        sizes = List.copyOf(sizes);
    }

    /// The content of the file: the dataset's description, and how rows are made of it.
    static byte[] toJson(Dataset dataset, boolean packed) {
        ObjectNode json = dataset.toJson();
        json.put(PACKED, packed);
        return (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /// Reads it from a model's folder; empty where there is none.
    public static Optional<DataRecord> read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(of(JSON.readTree(Files.readAllBytes(file))));
        } catch (JacksonException e) {
            throw new IOException(
                    "%s is not the JSON that a run writes: %s; mend or delete it"
                            .formatted(file, e.getOriginalMessage()),
                    e);
        }
    }

    private static DataRecord of(JsonNode json) {
        JsonNode packed = json.path(PACKED);
        return new DataRecord(
                json.path("files")
                        .valueStream()
                        .map(file -> file.path("size").asLong(-1))
                        .toList(),
                packed.isBoolean() ? Optional.of(packed.asBoolean()) : Optional.empty());
    }
}
