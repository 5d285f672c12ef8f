package ai.epitome.train.chat;

import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.DataFile;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/// Reads conversations, one JSON object each, in the layouts that data sets have:
///
/// | layout | object |
/// |---|---|
/// | OpenAI | `{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}` |
/// | ShareGPT | `{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}` |
/// | Alpaca | `{"instruction": "...", "input": "...", "output": "..."}`, the input may be missing or empty |
///
/// The layout is told by the object's fields, so files may mix them. A message of OpenAI's with `"weight": 0` is read
/// and not learned. Other fields are passed over.
public final class ConversationReader implements AutoCloseable {
    private final RecordReader records;

    /// The conversations of all files, in order.
    public ConversationReader(Corpus corpus) {
        records = corpus.openRecords();
    }

    /// The next one, or null after the last.
    ///
    /// @throws CorpusException if an object is no conversation; the message names the file, the line and why
    public Conversation next() throws IOException {
        JsonRecord record = records.next();
        return record == null ? null : conversation(record);
    }

    /// The files that were read to their end.
    public List<DataFile> filesRead() {
        return records.filesRead();
    }

    @Override
    public void close() throws IOException {
        records.close();
    }

    private static Conversation conversation(JsonRecord record) throws CorpusException {
        JsonNode json = record.json();
        List<Turn> turns;
        if (json.has("messages")) {
            turns = turns(record, "messages", "role", "content");
        } else if (json.has("conversations")) {
            turns = turns(record, "conversations", "from", "value");
        } else if (json.has("instruction")) {
            turns = alpaca(record);
        } else {
            throw record.wrong(
                    "expected a field `messages` (OpenAI), `conversations` (ShareGPT) or `instruction` (Alpaca), found "
                            + json.propertyNames());
        }
        return checked(record, new Conversation(turns));
    }

    private static Conversation checked(JsonRecord record, Conversation conversation) throws CorpusException {
        List<Turn> turns = conversation.turns();
        for (int i = 1; i < turns.size(); i++) {
            if (turns.get(i).speaker() == Speaker.SYSTEM) {
                throw record.wrong("turn %d is the system's, which may only be the first".formatted(i + 1));
            }
        }
        if (!conversation.teaches()) {
            throw record.wrong("no turn of the assistant that is to be learned; remove the conversation");
        }
        return conversation;
    }

    private static List<Turn> turns(JsonRecord record, String list, String who, String what) throws CorpusException {
        JsonNode array = record.json().path(list);
        if (!array.isArray() || array.isEmpty()) {
            throw record.wrong("`%s` must be a list of turns, found %s".formatted(list, shown(array)));
        }
        List<Turn> turns = new ArrayList<>();
        for (JsonNode turn : array) {
            String where = "turn %d".formatted(turns.size() + 1);
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
    private static String text(JsonRecord record, String where, String field, JsonNode value) throws CorpusException {
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

    private static List<Turn> alpaca(JsonRecord record) throws CorpusException {
        String instruction =
                text(record, "the instruction", "instruction", record.json().path("instruction"));
        JsonNode input = record.json().path("input");
        boolean alone = input.isMissingNode()
                || input.isNull()
                || input.isString() && input.asString().isBlank();
        String request = alone ? instruction : instruction + "\n\n" + text(record, "the input", "input", input);
        String output = text(record, "the answer", "output", record.json().path("output"));
        return List.of(new Turn(Speaker.USER, request), new Turn(Speaker.ASSISTANT, output));
    }

    private static String shown(JsonNode value) {
        if (value.isMissingNode()) {
            return "nothing";
        }
        String text = value.toString();
        return "`" + (text.length() > 60 ? text.substring(0, 60) + "..." : text) + "`";
    }
}
