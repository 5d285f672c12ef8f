package ai.epitome.train.pretrain;

import ai.epitome.train.data.Dataset;
import ai.epitome.train.report.Baselines;
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
/// @param train what it was trained on
/// @param packed whether rows hold whole documents side by side; empty in files of earlier builds
/// @param baselines what compressors pay for the held-out text, if they were measured
public record DataRecord(List<Long> sizes, Side train, Optional<Boolean> packed, Optional<Baselines> baselines) {
    /// What its file is called.
    public static final String FILE = "data.json";

    /// How much text is on one side of the split, 0 of what is not told.
    ///
    /// @param documents its pieces
    /// @param tokens of them, with those that end texts
    /// @param bytes of the text
    public record Side(long documents, long tokens, long bytes) {}

    private static final String PACKED = "packed";
    private static final String BASELINES = "baselines";
    private static final JsonMapper JSON = new JsonMapper();

    public DataRecord {
        sizes = List.copyOf(sizes);
    }

    /// The content of the file: the dataset's description, how rows are made of it, and what it is measured against.
    static byte[] toJson(Dataset dataset, boolean packed, Optional<Baselines> baselines) {
        ObjectNode json = dataset.toJson();
        json.put(PACKED, packed);
        baselines.ifPresent(measured -> json.set(BASELINES, measured.toJson()));
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
        JsonNode baselines = json.path(BASELINES);
        return new DataRecord(
                json.path("files")
                        .valueStream()
                        .map(file -> file.path("size").asLong(-1))
                        .toList(),
                side(json.path("train")),
                packed.isBoolean() ? Optional.of(packed.asBoolean()) : Optional.empty(),
                baselines.isObject() ? Optional.of(Baselines.fromJson(baselines)) : Optional.empty());
    }

    private static Side side(JsonNode json) {
        return new Side(
                json.path("documents").asLong(0),
                json.path("tokens").asLong(0),
                json.path("bytes").asLong(0));
    }

    /// Mean length of a token of the training text, NaN where it is not told.
    public double bytesPerToken() {
        return train.tokens == 0 ? Double.NaN : (double) train.bytes / train.tokens;
    }
}
