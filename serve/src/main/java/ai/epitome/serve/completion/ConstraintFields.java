package ai.epitome.serve.completion;

import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/// The fields that say what a text must be: OpenAI's `response_format`, and `structured_outputs` as vLLM has it. Those
/// that were made lately are kept, with what texts made of them worked out.
public final class ConstraintFields {
    static final List<String> NAMES = List.of("response_format", "structured_outputs");

    private static final int KEPT = 16;
    private static final int MAX_TEXT = 200_000;
    private static final int MAX_CHOICES = 1000;
    private static final int MAX_CALLS = 16;

    private record Key(String kind, String text) {}

    private final Map<Key, Constraint> kept = new LinkedHashMap<>(KEPT, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Constraint> eldest) {
            return size() > KEPT;
        }
    };

    /// @throws ApiException with status 400
    Optional<Constraint> parse(Fields fields) {
        Optional<Constraint> format =
                fields.has("response_format") ? responseFormat(fields.get("response_format")) : Optional.empty();
        if (!fields.has("structured_outputs")) {
            return format;
        }
        if (format.isPresent()) {
            throw ApiException.badParameter(
                    "structured_outputs", "'structured_outputs' and 'response_format' cannot both constrain the text.");
        }
        return Optional.of(structuredOutputs(fields.get("structured_outputs")));
    }

    /// The same where calls of tools may be forced.
    ///
    /// @param parallel whether there may be several calls
    /// @throws ApiException with status 400
    public Optional<Constraint> parse(Fields fields, ToolFields tools, boolean parallel) {
        Optional<Constraint> format = parse(fields);
        if (tools.forced().isEmpty()) {
            return format;
        }
        if (format.isPresent()) {
            throw ApiException.badParameter(
                    "tool_choice",
                    "'tool_choice' wants calls, and 'response_format' or 'structured_outputs' something else: leave out "
                            + "one of them.");
        }
        return Optional.of(calls(tools.forced().get(), tools.single() || !parallel));
    }

    /// What a text must be that calls tools, and does nothing else.
    private Constraint calls(JsonNode tools, boolean single) {
        String kind = single ? "call" : "calls";
        return made(
                "tools",
                kind,
                CallSchema.of(tools).toString(),
                schema -> Constraint.toolCalls(schema, single ? 1 : MAX_CALLS));
    }

    private Optional<Constraint> responseFormat(JsonNode format) {
        String name = "response_format";
        return switch (format.path("type").asString("")) {
            case "text" -> Optional.empty();
            case "json_object" -> Optional.of(jsonObject(name));
            case "json_schema" ->
                Optional.of(schema(name, format.path("json_schema").path("schema")));
            default ->
                throw ApiException.badParameter(
                        name,
                        "'response_format' must be an object whose 'type' is 'text', 'json_object' or 'json_schema'.");
        };
    }

    /// OpenAI's `strict` changes nothing: every schema is kept to.
    private Constraint schema(String name, JsonNode schema) {
        if (!schema.isObject() && !schema.isBoolean()) {
            throw ApiException.badParameter(
                    name,
                    name.equals("response_format")
                            ? "'response_format.json_schema.schema' must be a JSON Schema."
                            : "'structured_outputs.json' must be a JSON Schema, as an object or a string.");
        }
        return made(name, "json", schema.toString(), Constraint::jsonSchema);
    }

    private Constraint structuredOutputs(JsonNode outputs) {
        String name = "structured_outputs";
        if (!outputs.isObject() || outputs.size() != 1) {
            throw ApiException.badParameter(name, "'structured_outputs' must be an object with one field.");
        }
        String kind = outputs.propertyNames().iterator().next();
        JsonNode value = outputs.get(kind);
        return switch (kind) {
            case "regex" -> made(name, kind, text(value, kind), Constraint::regex);
            case "grammar" -> made(name, kind, text(value, kind), Constraint::gbnf);
            case "json" ->
                value.isString() ? made(name, kind, text(value, kind), Constraint::jsonSchema) : schema(name, value);
            case "choice" -> choice(name, value);
            case "json_object" -> {
                if (!value.isBoolean() || !value.booleanValue()) {
                    throw ApiException.badParameter(name, "'structured_outputs.json_object' can only be true.");
                }
                yield jsonObject(name);
            }
            default ->
                throw ApiException.badParameter(
                        name, "'structured_outputs' knows 'json', 'regex', 'grammar', 'choice' and 'json_object'.");
        };
    }

    private static String text(JsonNode value, String kind) {
        if (!value.isString() || value.stringValue().length() > MAX_TEXT) {
            throw ApiException.badParameter(
                    "structured_outputs",
                    "'structured_outputs." + kind + "' must be a string of at most " + MAX_TEXT + " characters.");
        }
        return value.stringValue();
    }

    private Constraint choice(String name, JsonNode value) {
        var choices = new ArrayList<String>();
        boolean strings = value.isArray() && !value.isEmpty() && value.size() <= MAX_CHOICES;
        for (JsonNode choice : value.values()) {
            strings = strings && choice.isString();
            choices.add(choice.asString(""));
        }
        if (!strings) {
            throw ApiException.badParameter(
                    name, "'structured_outputs.choice' must be an array of 1 to " + MAX_CHOICES + " strings.");
        }
        return made(name, "choice", value.toString(), _ -> Constraint.choice(choices));
    }

    private Constraint jsonObject(String name) {
        return made(name, "json_object", "", _ -> Constraint.jsonObject());
    }

    private synchronized Constraint made(String name, String kind, String text, Function<String, Constraint> maker) {
        try {
            return kept.computeIfAbsent(new Key(kind, text), key -> maker.apply(key.text));
        } catch (ConstraintException e) {
            throw ApiException.badParameter(name, "'" + name + "' cannot be used: " + e.getMessage() + ".");
        }
    }
}
