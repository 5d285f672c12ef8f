package ai.epitome.model.huggingface;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.model.file.JsonObject;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.autograd.Parameter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// An [Adapter] in a folder, as Hugging Face's PEFT reads and writes it:
///
/// ```text
/// adapter_config.json          {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj", ...], ...}
/// adapter_model.safetensors    base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight   (r, in)
///                              base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight   (out, r)
/// ```
public final class AdapterFolder {
    /// What it adds, and to what.
    public static final String CONFIG = "adapter_config.json";
    /// The matrices.
    public static final String WEIGHTS = "adapter_model.safetensors";

    private static final String PREFIX = "base_model.model.";

    private AdapterFolder() {}

    /// Whether a folder holds an adapter.
    public static boolean is(Path folder) {
        return Files.exists(folder.resolve(CONFIG));
    }

    /// Reads an adapter for `model`.
    ///
    /// @throws MalformedModelException if it is of a kind that is not supported, or made for another model
    public static Adapter load(Path folder, Transformer model) throws IOException {
        Path config = folder.resolve(CONFIG);
        if (!Files.exists(config)) {
            throw new MalformedModelException(folder, "is not an adapter's folder: it has no " + CONFIG);
        }
        Adapter.Settings settings = settings(folder);
        Adapter adapter;
        try {
            adapter = new Adapter(model, settings);
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(config, e.getMessage(), e);
        }
        try (Safetensors weights = Safetensors.open(folder.resolve(WEIGHTS))) {
            fill(adapter, weights);
            return adapter;
        }
    }

    /// What an adapter adds, and to what.
    ///
    /// @throws MalformedModelException if it is of a kind that is not supported
    public static Adapter.Settings settings(Path folder) throws IOException {
        return settings(JsonObject.read(folder.resolve(CONFIG)));
    }

    private static Adapter.Settings settings(JsonObject json) throws MalformedModelException {
        String kind = json.text("peft_type", "LORA");
        if (!kind.equals("LORA")) {
            throw json.wrong("peft_type", "LORA", json.find("peft_type"));
        }
        for (String unsupported : List.of(
                "modules_to_save",
                "rank_pattern",
                "alpha_pattern",
                "use_dora",
                "layers_to_transform",
                "lora_bias",
                "trainable_token_indices",
                "target_parameters")) {
            JsonNode value = json.find(unsupported);
            boolean used = value != null && (value.isContainer() ? !value.isEmpty() : value.asBoolean(true));
            if (used) {
                throw json.wrong(unsupported, "absent or empty: this is not supported", value);
            }
        }
        if (!json.text("bias", "none").equals("none")) {
            throw json.wrong("bias", "none: trained biases are not supported", json.find("bias"));
        }
        try {
            return new Adapter.Settings(
                    json.integer("r"),
                    json.number("lora_alpha"),
                    json.flag("use_rslora", false),
                    json.number("lora_dropout", 0),
                    targets(json));
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(json.file(), e.getMessage(), e);
        }
    }

    /// Names, given in full or by their last part.
    private static Set<String> targets(JsonObject json) throws MalformedModelException {
        JsonNode value = json.find("target_modules");
        if (value == null || !value.isArray()) {
            throw new MalformedModelException(
                    json.file(), "`target_modules` must be a list of names, found " + (value == null ? "none" : value));
        }
        Set<String> targets = new TreeSet<>();
        for (JsonNode name : value) {
            targets.add(name.asString().substring(name.asString().lastIndexOf('.') + 1));
        }
        return targets;
    }

    /// Puts the tensors of a file into an adapter.
    ///
    /// @throws MalformedModelException when one is missing, unknown, or has another shape or dtype
    public static void fill(Adapter adapter, Safetensors weights) throws MalformedModelException {
        Set<String> unknown = new TreeSet<>(weights.entries().keySet());
        for (Parameter parameter : adapter.parameters()) {
            String name = PREFIX + parameter.name();
            Safetensors.Entry entry = weights.entries().get(name);
            Item item = Item.of(name, parameter.value());
            if (entry == null || !entry.shape().equals(item.shape())) {
                throw new MalformedModelException(
                        weights.file(),
                        "expected a tensor `%s` %s, found %s"
                                .formatted(name, item.shape(), entry == null ? "none" : entry.shape()));
            }
            switch (entry.element()) {
                case F32, F16, BF16 -> parameter.value().set(entry.tensor().toFloats());
                default ->
                    throw new MalformedModelException(
                            weights.file(),
                            "tensor `%s` has dtype %s; F32, F16 and BF16 are read".formatted(name, entry.element()));
            }
            parameter.changed();
            unknown.remove(name);
        }
        if (!unknown.isEmpty()) {
            throw new MalformedModelException(
                    weights.file(),
                    "%d tensors do not belong to the adapter, the first is `%s`"
                            .formatted(unknown.size(), unknown.iterator().next()));
        }
    }

    /// The tensors of [#WEIGHTS].
    public static List<Item> items(Adapter adapter) {
        return adapter.parameters().stream()
                .map(parameter -> Item.of(PREFIX + parameter.name(), parameter.value()))
                .toList();
    }

    /// The text of [#CONFIG].
    ///
    /// @param base name or folder of the model
    public static byte[] config(Adapter adapter, Transformer model, String base) {
        Adapter.Settings settings = adapter.settings();
        ObjectNode json = JsonObject.MAPPER.createObjectNode();
        json.put("peft_type", "LORA");
        json.put("task_type", "CAUSAL_LM");
        json.put("base_model_name_or_path", base);
        json.put("r", settings.rank());
        json.put("lora_alpha", settings.alpha());
        json.put("lora_dropout", settings.dropout());
        json.put("use_rslora", settings.stabilised());
        json.put("bias", "none");
        json.put("fan_in_fan_out", Layout.of(model.config()) == Layout.GPT2);
        json.put("inference_mode", true);
        ArrayNode targets = json.putArray("target_modules");
        new TreeSet<>(settings.targets()).forEach(targets::add);
        return (JsonObject.MAPPER.writeValueAsString(json) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /// Writes an adapter.
    ///
    /// @param base name or folder of the model
    public static void save(Path folder, Adapter adapter, Transformer model, String base) throws IOException {
        Files.createDirectories(folder);
        AtomicFile.write(folder.resolve(CONFIG), new String(config(adapter, model, base), StandardCharsets.UTF_8));
        SafetensorsWriter.write(folder.resolve(WEIGHTS), Map.of("format", "pt"), items(adapter));
    }
}
