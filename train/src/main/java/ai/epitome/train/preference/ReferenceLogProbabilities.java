package ai.epitome.train.preference;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.train.preference.PairLoss.LogProbabilities;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What the model that DPO begins with gives every answer. Computed once and kept in the new model's folder, as
/// `reference.json`, so that a run that goes on has the same numbers to the bit.
///
/// @param train of each pair
/// @param heldOut of each held-out pair
record ReferenceLogProbabilities(List<LogProbabilities> train, List<LogProbabilities> heldOut) {
    private static final String FILE = "reference.json";
    private static final JsonMapper JSON = new JsonMapper();

    /// Computes them, with the weights as they are.
    static ReferenceLogProbabilities of(SequenceLogProbabilities model, PreferenceSet data) {
        return new ReferenceLogProbabilities(
                of(model, data.train(), () -> false), of(model, data.heldOut(), () -> false));
    }

    /// Of each pair, in order, unless `cancelled`.
    static List<LogProbabilities> of(
            SequenceLogProbabilities model, List<PreferencePair> pairs, BooleanSupplier cancelled) {
        double[] sums = model.of(
                pairs.stream().flatMap(pair -> pair.examples().stream()).toList(), cancelled);
        List<LogProbabilities> result = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            result.add(new LogProbabilities(sums[2 * i], sums[2 * i + 1]));
        }
        return result;
    }

    /// Those of a run that has begun with the same data, model and kernels; or null.
    static ReferenceLogProbabilities kept(Path folder, String key, PreferenceSet data) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            JsonNode json = JSON.readTree(Files.readAllBytes(file));
            var kept = new ReferenceLogProbabilities(side(json.path("train")), side(json.path("held_out")));
            boolean same = json.path("of").asString("").equals(key)
                    && kept.train.size() == data.train().size()
                    && kept.heldOut.size() == data.heldOut().size();
            return same ? kept : null;
        } catch (JacksonException e) {
            return null; // they are only made again
        }
    }

    void keep(Path folder, String key) throws IOException {
        ObjectNode json = JSON.createObjectNode().put("of", key);
        side(json.putArray("train"), train);
        side(json.putArray("held_out"), heldOut);
        AtomicFile.write(folder.resolve(FILE), json + "\n");
    }

    private static List<LogProbabilities> side(JsonNode array) {
        List<LogProbabilities> side = new ArrayList<>();
        for (JsonNode pair : array) {
            side.add(new LogProbabilities(pair.path(0).asDouble(), pair.path(1).asDouble()));
        }
        return side;
    }

    private static void side(ArrayNode array, List<LogProbabilities> side) {
        for (LogProbabilities pair : side) {
            array.addArray().add(pair.chosen()).add(pair.rejected());
        }
    }
}
