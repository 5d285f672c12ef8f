package ai.epitome.train.chat;

import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/// Reads lists of turns; what is wrong with one is said with file, line and turn.
public final class TurnReader {
    private TurnReader() {}

    /// Turns with `role` and `content`. A message with `"weight": 0` is not learned.
    ///
    /// @param list the field of the record that holds them
    public static List<Turn> openAi(JsonRecord record, String list) throws CorpusException {
        return turns(record, list, list.equals("messages") ? "" : " of `%s`".formatted(list), "role", "content");
    }

    /// Turns with `from` and `value`.
    static List<Turn> shareGpt(JsonRecord record, String list) throws CorpusException {
        return turns(record, list, "", "from", "value");
    }

    private static List<Turn> turns(JsonRecord record, String list, String whose, String who, String what)
            throws CorpusException {
        JsonNode array = record.json().path(list);
        if (!array.isArray() || array.isEmpty()) {
            throw record.wrong("`%s` must be a list of turns, found %s".formatted(list, shown(array)));
        }
        List<Turn> turns = new ArrayList<>();
        for (JsonNode turn : array) {
            String where = "turn %d%s".formatted(turns.size() + 1, whose);
            Speaker speaker = speaker(record, where, who, turn.path(who));
            String text = text(record, where, what, turn.path(what));
            boolean learned =
                    speaker == Speaker.ASSISTANT && turn.path("weight").asDouble(1) != 0;
            turns.add(new Turn(speaker, text, learned));
        }
        return turns;
    }

    private static Speaker speaker(JsonRecord record, String where, String field, JsonNode role)
            throws CorpusException {
        if (!role.isString()) {
            throw record.wrong(
                    role.isMissingNode()
                            ? "%s has no `%s`: nobody says it".formatted(where, field)
                            : "%s: `%s` must be a string, found %s".formatted(where, field, shown(role)));
        }
        return switch (role.asString().toLowerCase(Locale.ROOT)) {
            case "system", "developer" -> Speaker.SYSTEM;
            case "user", "human" -> Speaker.USER;
            case "assistant", "gpt", "chatgpt", "model", "bot" -> Speaker.ASSISTANT;
            default ->
                throw record.wrong(
                        "%s has the unknown role %s; known are system, developer, user, human, assistant, gpt, chatgpt, model and bot"
                                .formatted(where, shown(role)));
        };
    }

    /// A string, or a list of parts of which each is a text.
    static String text(JsonRecord record, String where, String field, JsonNode value) throws CorpusException {
        StringBuilder text = new StringBuilder();
        if (value.isArray()) {
            for (JsonNode part : value) {
                if (!part.path("text").isString()) {
                    throw record.wrong("%s has a part that is no text: %s".formatted(where, shown(part)));
                }
                text.append(part.path("text").asString());
            }
        } else if (value.isString()) {
            text.append(value.asString());
        } else if (!value.isMissingNode() && !value.isNull()) {
            throw record.wrong("%s: `%s` must be a string, found %s".formatted(where, field, shown(value)));
        }
        if (text.toString().isBlank()) {
            throw record.wrong("%s is empty: its `%s` %s"
                    .formatted(where, field, value.isMissingNode() ? "is missing" : "holds no text"));
        }
        return text.toString();
    }

    /// A value as errors show it.
    static String shown(JsonNode value) {
        if (value.isMissingNode()) {
            return "nothing";
        }
        String text = value.toString();
        return "`" + (text.length() > 60 ? text.substring(0, 60) + "..." : text) + "`";
    }
}
