package ai.epitome.model.huggingface;

import ai.epitome.model.file.JsonObject;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.Penalties;
import ai.epitome.model.generation.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// [GenerationDefaults] as Hugging Face's `generation_config.json`.
public final class GenerationConfigFile {
    /// Its name in a model folder.
    public static final String NAME = "generation_config.json";

    private GenerationConfigFile() {}

    /// Reads a folder's `generation_config.json`, or what its `config.json` says of end and beginning where it has
    /// none.
    public static GenerationDefaults read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        JsonObject json = JsonObject.read(Files.exists(file) ? file : folder.resolve(ConfigFile.NAME));
        int begin = json.integer("bos_token_id", -1);
        try {
            return new GenerationDefaults(
                    endOfText(json),
                    begin < 0 ? OptionalInt.empty() : OptionalInt.of(begin),
                    new Sampling(
                            json.flag("do_sample", true) ? json.number("temperature", 1) : 0,
                            json.integer("top_k", 0),
                            json.number("top_p", 1),
                            json.number("min_p", 0),
                            json.number("typical_p", 1),
                            new Penalties(json.number("repetition_penalty", 1), 0, 0),
                            Map.of(),
                            0));
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(json.file(), e.getMessage(), e);
        }
    }

    /// One id or a list of them.
    private static Set<Integer> endOfText(JsonObject json) throws MalformedModelException {
        JsonNode value = json.find("eos_token_id");
        Set<Integer> ids = new TreeSet<>();
        if (value == null) {
            return ids;
        }
        for (JsonNode id :
                value.isArray() ? value : JsonObject.MAPPER.createArrayNode().add(value)) {
            if (!id.isIntegralNumber() || !id.canConvertToInt()) {
                throw json.wrong("eos_token_id", "a token id or a list of them", value);
            }
            ids.add(id.intValue());
        }
        return ids;
    }

    /// Puts the tokens that begin and end texts into a file.
    static void writeTokens(GenerationDefaults defaults, ObjectNode json) {
        defaults.beginOfText().ifPresent(id -> json.put("bos_token_id", id));
        if (defaults.endOfText().size() == 1) {
            json.put("eos_token_id", defaults.endOfText().iterator().next());
        } else if (defaults.endOfText().size() > 1) {
            new TreeSet<>(defaults.endOfText()).forEach(json.putArray("eos_token_id")::add);
        }
    }

    /// The text of `generation_config.json`.
    public static String write(GenerationDefaults defaults) {
        ObjectNode json = JsonObject.MAPPER.createObjectNode();
        writeTokens(defaults, json);
        Sampling sampling = defaults.sampling();
        boolean sampled = sampling.temperature() > 0;
        json.put("do_sample", sampled);
        if (sampled) {
            json.put("temperature", sampling.temperature());
            json.put("top_k", sampling.topK());
            json.put("top_p", sampling.topP());
            json.put("min_p", sampling.minP());
            json.put("typical_p", sampling.typical());
            json.put("repetition_penalty", sampling.penalties().repetition());
        }
        return JsonObject.MAPPER.writeValueAsString(json) + "\n";
    }
}
