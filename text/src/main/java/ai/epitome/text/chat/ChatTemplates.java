package ai.epitome.text.chat;

import ai.epitome.text.file.GgufMetadata;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The chat templates that a model's files hold, as text; nothing is parsed before [ChatFormat] wants it.
///
/// | where | what |
/// |---|---|
/// | `chat_template.jinja` | the template |
/// | `tokenizer_config.json` | `chat_template`: the template, or a list of `{"name", "template"}`; `bos_token`... |
/// | GGUF | `tokenizer.chat_template`, `tokenizer.chat_template.NAME`; tokens by `tokenizer.ggml.bos_token_id`... |
///
/// @param byName templates; [#DEFAULT] and [#TOOLS] are used
/// @param tokens what control tokens are called in templates: `bos_token`, `eos_token` and others
public record ChatTemplates(Map<String, String> byName, Map<String, String> tokens) {
    /// No template at all.
    public static final ChatTemplates NONE = new ChatTemplates(Map.of(), Map.of());

    /// A file of a model's folder that holds a template alone.
    public static final String FILE = "chat_template.jinja";

    /// The name of the one that is used where nothing else is asked for.
    public static final String DEFAULT = "default";

    /// Used instead where tools are given.
    static final String TOOLS = "tool_use";

    private static final List<String> TOKENS = List.of("bos_token", "eos_token", "unk_token", "pad_token");
    private static final String GGUF_TEMPLATE = "tokenizer.chat_template";
    private static final int LARGEST_FILE = 1 << 26;
    private static final int LONGEST_TEXT = 1 << 21;

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(32)
                            .maxStringLength(LONGEST_TEXT)
                            .maxNumberLength(100)
                            .maxDocumentLength(LARGEST_FILE)
                            .build())
                    .build())
            .build();

    public ChatTemplates {
        byName = Map.copyOf(byName);
        tokens = Map.copyOf(tokens);
    }

    /// What a model's folder or file holds; nothing where it is of another kind.
    ///
    /// @throws IOException if a file cannot be read, or is malformed
    public static ChatTemplates of(Path source) throws IOException {
        if (Files.isDirectory(source)) {
            return ofFolder(source);
        }
        try (InputStream in = new BufferedInputStream(Files.newInputStream(source))) {
            in.mark(Long.BYTES);
            boolean gguf = GgufMetadata.isMagic(in.readNBytes(Integer.BYTES));
            in.reset();
            return gguf ? ofGguf(GgufMetadata.read(in, source.toString())) : NONE;
        }
    }

    /// @throws IOException if a file cannot be read, or is no JSON
    static ChatTemplates ofFolder(Path folder) throws IOException {
        Map<String, String> byName = new LinkedHashMap<>();
        Map<String, String> tokens = new LinkedHashMap<>();
        Path config = folder.resolve("tokenizer_config.json");
        if (Files.exists(config)) {
            JsonNode json = read(config);
            named(json.path("chat_template"), byName);
            for (String name : TOKENS) {
                JsonNode token = json.path(name);
                JsonNode text = token.isObject() ? token.path("content") : token;
                if (text.isString()) {
                    tokens.put(name, text.stringValue());
                }
            }
        }
        Path own = folder.resolve(FILE);
        if (Files.exists(own)) {
            requireSmall(own, LONGEST_TEXT);
            byName.put(DEFAULT, Files.readString(own));
        }
        return new ChatTemplates(byName, tokens);
    }

    /// The content of [#FILE] as it stands, for a folder that is made from this one; nothing where there is none.
    public static Optional<byte[]> file(Path folder) throws IOException {
        Path own = folder.resolve(FILE);
        return Files.exists(own) ? Optional.of(Files.readAllBytes(own)) : Optional.empty();
    }

    private static JsonNode read(Path file) throws IOException {
        requireSmall(file, LARGEST_FILE);
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new IOException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static void requireSmall(Path file, long most) throws IOException {
        if (Files.size(file) > most) {
            throw new IOException("%s has %,d bytes; at most %,d are read".formatted(file, Files.size(file), most));
        }
    }

    private static void named(JsonNode template, Map<String, String> byName) {
        if (template.isString()) {
            byName.put(DEFAULT, template.stringValue());
        }
        for (JsonNode entry : template.isArray() ? template.values() : List.<JsonNode>of()) {
            if (entry.path("name").isString() && entry.path("template").isString()) {
                byName.put(
                        entry.path("name").stringValue(), entry.path("template").stringValue());
            }
        }
    }

    /// What a GGUF file's metadata hold.
    static ChatTemplates ofGguf(GgufMetadata metadata) {
        Map<String, String> byName = new LinkedHashMap<>();
        metadata.values().forEach((key, value) -> {
            if (value instanceof String template && key.equals(GGUF_TEMPLATE)) {
                byName.put(DEFAULT, template);
            } else if (value instanceof String template && key.startsWith(GGUF_TEMPLATE + ".")) {
                byName.put(key.substring(GGUF_TEMPLATE.length() + 1), template);
            }
        });
        Map<String, String> tokens = new LinkedHashMap<>();
        if (metadata.values().get("tokenizer.ggml.tokens") instanceof List<?> names) {
            Map<String, String> keys = Map.of(
                    "bos_token", "bos_token_id",
                    "eos_token", "eos_token_id",
                    "unk_token", "unknown_token_id",
                    "pad_token", "padding_token_id");
            keys.forEach((token, key) -> {
                if (metadata.values().get("tokenizer.ggml." + key) instanceof Long id
                        && id >= 0
                        && id < names.size()
                        && names.get(id.intValue()) instanceof String name) {
                    tokens.put(token, name);
                }
            });
        }
        return new ChatTemplates(byName, tokens);
    }

    Optional<String> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }
}
