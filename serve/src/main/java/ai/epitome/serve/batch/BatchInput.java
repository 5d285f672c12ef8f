package ai.epitome.serve.batch;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// The lines of a batch's input file: `{"custom_id", "method": "POST", "url", "body"}` each.
///
/// @param lines those that are proper
/// @param errors what is wrong with the others, in OpenAI's shape
public record BatchInput(List<Line> lines, ArrayNode errors) {
    private static final int MAX_LINES = 10_000;
    private static final int MAX_ERRORS = 100;
    private static final int MAX_ID = 256;
    private static final Set<String> KNOWN = Set.of("custom_id", "method", "url", "body");

    record Line(String customId, JsonNode body) {}

    /// @param url that all lines must have
    public static BatchInput parse(byte[] file, String url) {
        List<Line> lines = new ArrayList<>();
        ArrayNode errors = JsonNodeFactory.instance.arrayNode();
        Set<String> ids = new HashSet<>();
        int number = 0;
        for (String text : (Iterable<String>) new String(file, StandardCharsets.UTF_8).lines()::iterator) {
            number++;
            if (text.isBlank()) {
                continue;
            }
            if (lines.size() >= MAX_LINES) {
                error(errors, "too_many_requests", number, null, "There are more than " + MAX_LINES + " lines.");
                break;
            }
            try {
                Line line = line(text, url);
                if (!ids.add(line.customId)) {
                    error(
                            errors,
                            "duplicate_custom_id",
                            number,
                            "custom_id",
                            "The custom_id is not the only such one.");
                }
                lines.add(line);
            } catch (ApiException e) {
                error(errors, "invalid_line", number, null, e.getMessage());
            }
            if (errors.size() >= MAX_ERRORS) {
                break;
            }
        }
        if (lines.isEmpty() && errors.isEmpty()) {
            error(errors, "empty_file", 1, null, "The input file has no lines.");
        }
        return new BatchInput(lines, errors);
    }

    private static Line line(String text, String url) {
        Fields fields = CommonFields.parse(text.getBytes(StandardCharsets.UTF_8), KNOWN);
        if (!fields.text("method", MAX_ID).equals("POST")) {
            throw ApiException.badParameter("method", "'method' must be POST.");
        }
        if (!fields.text("url", MAX_ID).equals(url)) {
            throw ApiException.badParameter("url", "'url' must be the batch's endpoint, " + url + ".");
        }
        if (!fields.get("body").isObject()) {
            throw ApiException.badParameter("body", "'body' must be an object.");
        }
        return new Line(fields.text("custom_id", MAX_ID), fields.get("body"));
    }

    private static void error(ArrayNode errors, String code, int line, String param, String message) {
        errors.addObject()
                .put("code", code)
                .put("line", line)
                .put("param", param)
                .put("message", message);
    }
}
