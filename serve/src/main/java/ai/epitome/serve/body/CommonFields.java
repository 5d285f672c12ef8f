package ai.epitome.serve.body;

import ai.epitome.serve.http.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What bodies of completions and of chat completions have in common.
public final class CommonFields {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_NUMBER_CHARACTERS = 64;
    private static final int MAX_STOPS = 4;
    private static final int MAX_STOP_CHARACTERS = 256;
    private static final int MAX_NAME_CHARACTERS = 256;

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(MAX_NUMBER_CHARACTERS)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private CommonFields() {}

    /// The fields of a body.
    ///
    /// @param known names that it may have
    /// @throws ApiException with status 400 if it is no JSON object, is nested too deeply, or has another field
    public static Fields parse(byte[] body, Set<String> known) {
        JsonNode root = json(body);
        if (!root.isObject()) {
            throw ApiException.badRequest(400, "invalid_json", "The body must be a JSON object.");
        }
        for (String name : root.propertyNames()) {
            if (!known.contains(name)) {
                String shown = name.length() <= 64 ? name : name.substring(0, 64) + "…";
                throw ApiException.badParameter(shown, "Unrecognized request argument supplied: " + shown);
            }
        }
        return new Fields(root);
    }

    private static JsonNode json(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (StreamConstraintsException e) {
            throw ApiException.badRequest(
                    400, "invalid_json", "The body is nested too deeply or has too long a number or name.");
        } catch (JacksonException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " (line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + ")";
            throw ApiException.badRequest(400, "invalid_json", "The body is not valid JSON" + where + ".");
        }
    }

    /// The model that is asked for, which must be given; whether it is served is another question.
    public static String model(Fields fields) {
        String model = fields.has("model") ? fields.text("model", MAX_NAME_CHARACTERS) : "";
        if (model.isEmpty()) {
            throw ApiException.badParameter("model", "You must provide a 'model'. GET /v1/models lists them.");
        }
        return model;
    }

    /// Who asks: checked, and not used.
    public static void checkUser(Fields fields) {
        for (String name : List.of("user", "safety_identifier")) {
            if (fields.has(name)) {
                fields.text(name, MAX_NAME_CHARACTERS);
            }
        }
    }

    /// Whether the last event of a stream is to tell the tokens used: `stream_options.include_usage`.
    public static boolean includeUsage(Fields fields, boolean stream) {
        if (!fields.has("stream_options")) {
            return false;
        }
        JsonNode options = fields.get("stream_options");
        if (!stream || !options.isObject()) {
            throw ApiException.badParameter(
                    "stream_options", "'stream_options' must be an object, and needs 'stream' to be true.");
        }
        for (String name : options.propertyNames()) {
            // Obfuscation pads chunks against eavesdroppers; "false" is what this server does.
            boolean known = name.equals("include_usage")
                    || (name.equals("include_obfuscation")
                            && !options.path(name).asBoolean(true));
            if (!known) {
                throw ApiException.badParameter("stream_options", "'stream_options' knows 'include_usage' only.");
            }
        }
        return new Fields(options).flag("include_usage");
    }

    public static List<String> stops(Fields fields) {
        JsonNode value = fields.get("stop");
        if (value.isMissingNode()) {
            return List.of();
        }
        var stops = new ArrayList<String>();
        for (JsonNode stop : value.isArray() ? value.values() : List.of(value)) {
            if (!stop.isString()
                    || stop.stringValue().isEmpty()
                    || stop.stringValue().length() > MAX_STOP_CHARACTERS
                    || stops.size() == MAX_STOPS) {
                throw ApiException.badParameter(
                        "stop",
                        "'stop' must be a string or an array of at most " + MAX_STOPS + " strings of 1 to "
                                + MAX_STOP_CHARACTERS + " characters.");
            }
            stops.add(stop.stringValue());
        }
        return stops;
    }
}
