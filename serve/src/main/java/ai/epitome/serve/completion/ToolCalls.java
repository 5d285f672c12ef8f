package ai.epitome.serve.completion;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.json.JsonMapper;

/// Finds calls of tools in an answer, in the forms of the models that we know:
///
/// ```
/// Hermes, Qwen      text <tool_call>{"name": "f", "arguments": {...}}</tool_call> <tool_call>...
/// Llama 3           {"name": "f", "parameters": {...}}; {"name": ...
/// Mistral           [{"name": "f", "arguments": {...}}, ...]      behind a control token, which is no text
/// ```
///
/// What is not whole, or names no tool of the request, is text.
public final class ToolCalls {
    private static final String BEGIN = "<tool_call>";
    private static final String END = "</tool_call>";
    private static final String MISTRAL = "[TOOL_CALLS]";

    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Set<String> names = new HashSet<>();

    /// @param tools those of the request
    ToolCalls(JsonNode tools) {
        tools.values()
                .forEach(tool -> names.add(tool.path("function").path("name").asString("")));
    }

    /// A call.
    ///
    /// @param arguments JSON of an object
    public record Call(String name, String arguments) {}

    /// @param content the text before the calls
    record Found(String content, List<Call> calls) {}

    /// The calls in a whole answer; nothing where there are none.
    Optional<Found> find(String answer) {
        int begin = beginsAsJson(answer) ? -1 : answer.indexOf(BEGIN);
        String json = begin >= 0 ? unwrapped(answer.substring(begin)) : answer.strip();
        if (json.startsWith(MISTRAL)) {
            json = json.substring(MISTRAL.length());
        }
        if (!json.startsWith("{") && !json.startsWith("[")) {
            return Optional.empty();
        }
        List<Call> calls = new ArrayList<>();
        try (MappingIterator<JsonNode> values =
                JSON.readerFor(JsonNode.class).readValues(json.replaceAll("}\\s*;\\s*\\{", "} {"))) {
            while (values.hasNextValue()) {
                JsonNode value = values.nextValue();
                for (JsonNode one : value.isArray() ? value.values() : List.of(value)) {
                    calls.add(call(one));
                }
            }
        } catch (JacksonException | NotACall e) {
            return Optional.empty();
        }
        String content = begin >= 0 ? answer.substring(0, begin).strip() : "";
        return calls.isEmpty() ? Optional.empty() : Optional.of(new Found(content, calls));
    }

    /// Then a tag stands in one of its strings, if anywhere.
    private static boolean beginsAsJson(String answer) {
        String text = answer.stripLeading();
        return text.startsWith("{") || text.startsWith("[");
    }

    /// What stands between the tags, without them; what stands between calls is dropped.
    private static String unwrapped(String tagged) {
        StringBuilder json = new StringBuilder();
        for (int begin = tagged.indexOf(BEGIN); begin >= 0; begin = tagged.indexOf(BEGIN, begin + 1)) {
            int end = tagged.indexOf(END, begin);
            String inner = tagged.substring(begin + BEGIN.length(), end < 0 ? tagged.length() : end);
            json.append(inner.strip()).append('\n');
        }
        return json.toString();
    }

    private Call call(JsonNode json) {
        JsonNode function = json.path("function").isObject() ? json.path("function") : json;
        JsonNode arguments = function.has("arguments") ? function.path("arguments") : function.path("parameters");
        String name = function.path("name").asString("");
        if (!names.contains(name) || !(arguments.isObject() || arguments.isMissingNode() || arguments.isString())) {
            throw new NotACall();
        }
        return new Call(
                name,
                arguments.isString()
                        ? arguments.stringValue()
                        : arguments.isMissingNode() ? "{}" : arguments.toString());
    }

    /// JSON that is something else.
    private static final class NotACall extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotACall() {
            super(null, null, false, false);
        }
    }

    /// How much of an answer under way is surely no call.
    static int certain(String answer) {
        if (answer.isBlank() || beginsAsJson(answer)) {
            return 0;
        }
        int begin = answer.indexOf(BEGIN);
        if (begin >= 0) {
            return begin;
        }
        for (int length = Math.min(BEGIN.length() - 1, answer.length()); length > 0; length--) {
            if (answer.endsWith(BEGIN.substring(0, length))) {
                return answer.length() - length;
            }
        }
        return answer.length();
    }
}
