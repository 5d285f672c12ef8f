package ai.epitome.text.file;

import java.util.OptionalInt;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;

/// The part of `post_processor` in `tokenizer.json` that says which token goes before every text:
///
/// ```
/// {"type": "TemplateProcessing",
///  "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
///  "pair": ..., "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
/// ```
///
/// alone or within a `Sequence`. What goes behind a text does not matter to a model that goes on with it.
final class PostProcessorJson {
    private PostProcessorJson() {}

    static OptionalInt beginOfText(JsonNode node) {
        if (node.path("type").asString("").equals("Sequence")) {
            return node.path("processors")
                    .valueStream()
                    .map(PostProcessorJson::template)
                    .filter(OptionalInt::isPresent)
                    .findFirst()
                    .orElse(OptionalInt.empty());
        }
        return template(node);
    }

    private static OptionalInt template(JsonNode node) {
        String name =
                node.path("single").path(0).path("SpecialToken").path("id").asString("");
        JsonNode id = node.path("special_tokens").path(name).path("ids").path(0);
        boolean known = node.path("type").asString("").equals("TemplateProcessing") && id.canConvertToInt();
        return known ? OptionalInt.of(id.intValue()) : OptionalInt.empty();
    }

    /// Writes the value; `name` is the token's.
    static void write(int id, String name, JsonGenerator json) {
        json.writeStartObject();
        json.writeStringProperty("type", "TemplateProcessing");
        writeTemplate("single", name, "A", json);
        writeTemplate("pair", name, "AB", json);
        json.writeObjectPropertyStart("special_tokens");
        json.writeObjectPropertyStart(name);
        json.writeStringProperty("id", name);
        json.writeArrayPropertyStart("ids");
        json.writeNumber(id);
        json.writeEndArray();
        json.writeArrayPropertyStart("tokens");
        json.writeString(name);
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void writeTemplate(String property, String name, String texts, JsonGenerator json) {
        json.writeArrayPropertyStart(property);
        for (char text : texts.toCharArray()) {
            writeItem("SpecialToken", name, text - 'A', json);
            writeItem("Sequence", String.valueOf(text), text - 'A', json);
        }
        json.writeEndArray();
    }

    private static void writeItem(String kind, String id, int type, JsonGenerator json) {
        json.writeStartObject();
        json.writeObjectPropertyStart(kind);
        json.writeStringProperty("id", id);
        json.writeNumberProperty("type_id", type);
        json.writeEndObject();
        json.writeEndObject();
    }
}
