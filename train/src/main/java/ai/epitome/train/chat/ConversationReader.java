package ai.epitome.train.chat;

import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import java.util.List;
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
public final class ConversationReader {
    private ConversationReader() {}

    /// @throws CorpusException if an object is no conversation; the message names the file, the line and why
    public static TrainingConversation read(JsonRecord record) throws CorpusException {
        JsonNode json = record.json();
        List<Turn> turns;
        if (json.has("messages")) {
            turns = TurnReader.openAi(record, "messages");
        } else if (json.has("conversations")) {
            turns = TurnReader.shareGpt(record, "conversations");
        } else if (json.has("instruction")) {
            turns = alpaca(record);
        } else {
            throw record.wrong(
                    "expected a field `messages` (OpenAI), `conversations` (ShareGPT) or `instruction` (Alpaca), found "
                            + json.propertyNames());
        }
        return checked(record, new TrainingConversation(turns));
    }

    private static TrainingConversation checked(JsonRecord record, TrainingConversation conversation)
            throws CorpusException {
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

    private static List<Turn> alpaca(JsonRecord record) throws CorpusException {
        String instruction = TurnReader.text(
                record, "the instruction", "instruction", record.json().path("instruction"));
        JsonNode input = record.json().path("input");
        boolean alone = input.isMissingNode()
                || input.isNull()
                || input.isString() && input.asString().isBlank();
        String request =
                alone ? instruction : instruction + "\n\n" + TurnReader.text(record, "the input", "input", input);
        String output =
                TurnReader.text(record, "the answer", "output", record.json().path("output"));
        return List.of(new Turn(Speaker.USER, request), new Turn(Speaker.ASSISTANT, output));
    }
}
