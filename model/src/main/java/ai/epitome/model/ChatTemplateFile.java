package ai.epitome.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Where model files keep the template of conversations: in folders `chat_template.jinja`, or `chat_template` in
/// `tokenizer_config.json`, one text or several by name; in GGUF files `tokenizer.chat_template`.
final class ChatTemplateFile {
    static final String FILE = "chat_template.jinja";
    static final String KEY = "tokenizer.chat_template";
    static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final long MOST_BYTES = 1 << 24;

    private ChatTemplateFile() {}

    static Optional<String> read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (Files.exists(file)) {
            if (Files.size(file) > MOST_BYTES) {
                throw new MalformedModelException(
                        file, "a template of more than %,d bytes is not read".formatted(MOST_BYTES));
            }
            return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        }
        Path config = folder.resolve(TOKENIZER_CONFIG);
        return Files.exists(config) ? ofConfig(JsonObject.read(config)) : Optional.empty();
    }

    private static Optional<String> ofConfig(JsonObject json) {
        JsonNode template = json.node().path("chat_template");
        for (JsonNode named : template.isArray() ? template : JsonObject.MAPPER.createArrayNode()) {
            if (named.path("name").asString("").equals("default")) {
                return text(named.path("template"));
            }
        }
        return text(template);
    }

    private static Optional<String> text(JsonNode node) {
        return node.isString() ? Optional.of(node.stringValue()) : Optional.empty();
    }

    static Optional<String> of(Gguf gguf) {
        return gguf.metadata().values().get(KEY) instanceof String text ? Optional.of(text) : Optional.empty();
    }
}
