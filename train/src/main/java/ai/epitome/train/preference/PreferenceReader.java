package ai.epitome.train.preference;

import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.chat.TurnReader;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads preferences, one JSON object each:
///
/// | layout | object |
/// |---|---|
/// | texts | `{"prompt": "...", "chosen": "...", "rejected": "..."}` |
/// | turns | the same with lists of `{"role": "...", "content": "..."}`; the prompt may be part of both answers instead
/// |
/// | mixed | a prompt of turns and answers that are strings: what the assistant says |
/// | OpenAI | `{"input": {"messages": [...]}, "preferred_output": [...], "non_preferred_output": [...]}` |
/// | HH-RLHF | `{"chosen": "\n\nHuman: ...\n\nAssistant: ...", "rejected": "..."}`, without a prompt |
///
/// The turns that two conversations begin with in common are their context. Other fields are passed over.
public final class PreferenceReader {
    private static final Pattern SPEAKER = Pattern.compile("\n\n(Human|Assistant):");

    private PreferenceReader() {}

    /// @throws CorpusException if an object is no preference; the message names the file, the line and why
    public static Preference read(JsonRecord record) throws CorpusException {
        return record.json().has("preferred_output") ? plain(ofOpenAi(record)) : plain(record);
    }

    /// The layout of OpenAI's fine-tuning, with the other layouts' names.
    private static JsonRecord ofOpenAi(JsonRecord record) throws CorpusException {
        JsonNode json = record.json();
        for (String answer : List.of("preferred_output", "non_preferred_output")) {
            if (!json.path(answer).isArray()) {
                throw record.wrong("`%s` must be a list of messages".formatted(answer));
            }
        }
        ObjectNode named = JsonNodeFactory.instance.objectNode();
        named.set("prompt", json.path("input").path("messages"));
        named.set("chosen", json.path("preferred_output"));
        named.set("rejected", json.path("non_preferred_output"));
        if (!named.path("prompt").isArray()) {
            throw record.wrong("has no `input` with a list of `messages`");
        }
        return new JsonRecord(record.file(), record.line(), named);
    }

    private static Preference plain(JsonRecord record) throws CorpusException {
        JsonNode json = record.json();
        for (String answer : List.of("chosen", "rejected")) {
            if (json.path(answer).isMissingNode()) {
                throw record.wrong(
                        "has no `%s`: expected `chosen` and `rejected`, and a `prompt` where both share one; found %s"
                                .formatted(answer, json.propertyNames()));
            }
        }
        JsonNode prompt = json.path("prompt");
        boolean texts = json.path("chosen").isString() && json.path("rejected").isString();
        if (prompt.isString() && texts) {
            return texts(record);
        }
        if (prompt.isMissingNode() && texts) {
            return paired(record, List.of(), transcript(record, "chosen"), transcript(record, "rejected"));
        }
        return paired(record, prompt(record), answer(record, "chosen"), answer(record, "rejected"));
    }

    private static Preference texts(JsonRecord record) throws CorpusException {
        String chosen = answerText(record, "chosen");
        String rejected = answerText(record, "rejected");
        requireDifferent(record, chosen.equals(rejected));
        return new Preference.OfTexts(record.json().path("prompt").asString(), chosen, rejected);
    }

    static String answerText(JsonRecord record, String field) throws CorpusException {
        String text = record.json().path(field).asString();
        if (text.isBlank()) {
            throw record.wrong("`%s` is empty".formatted(field));
        }
        return text;
    }

    static List<Turn> prompt(JsonRecord record) throws CorpusException {
        JsonNode prompt = record.json().path("prompt");
        if (prompt.isMissingNode()) {
            return List.of();
        }
        if (!prompt.isString()) {
            return TurnReader.openAi(record, "prompt");
        }
        if (prompt.asString().isBlank()) {
            throw record.wrong("`prompt` is empty, so the user says nothing");
        }
        return List.of(new Turn(Speaker.USER, prompt.asString()));
    }

    static List<Turn> answer(JsonRecord record, String field) throws CorpusException {
        return record.json().path(field).isString()
                ? List.of(new Turn(Speaker.ASSISTANT, answerText(record, field)))
                : TurnReader.openAi(record, field);
    }

    /// Turns as HH-RLHF writes them into one string.
    private static List<Turn> transcript(JsonRecord record, String field) throws CorpusException {
        String text = record.json().path(field).asString();
        Matcher marks = SPEAKER.matcher(text);
        List<Turn> turns = new ArrayList<>();
        if (!marks.find() || marks.start() > 0) {
            throw record.wrong(
                    "`%s` begins with neither \"\\n\\nHuman:\" nor \"\\n\\nAssistant:\", and there is no `prompt` for it to follow"
                            .formatted(field));
        }
        boolean more = true;
        while (more) {
            Speaker speaker = marks.group(1).equals("Human") ? Speaker.USER : Speaker.ASSISTANT;
            int from = marks.end();
            more = marks.find();
            String said =
                    text.substring(from, more ? marks.start() : text.length()).strip();
            if (said.isEmpty()) {
                throw record.wrong("turn %d of `%s` is empty".formatted(turns.size() + 1, field));
            }
            turns.add(new Turn(speaker, said));
        }
        return turns;
    }

    private static Preference paired(JsonRecord record, List<Turn> prompt, List<Turn> chosen, List<Turn> rejected)
            throws CorpusException {
        requireDifferent(record, chosen.equals(rejected));
        int common = 0;
        while (common < Math.min(chosen.size(), rejected.size()) - 1
                && chosen.get(common).equals(rejected.get(common))) {
            common++;
        }
        List<Turn> context = new ArrayList<>();
        for (Turn turn : prompt) {
            context.add(new Turn(turn.speaker(), turn.text(), false));
        }
        for (Turn turn : chosen.subList(0, common)) {
            context.add(new Turn(turn.speaker(), turn.text(), false));
        }
        List<Turn> better = chosen.subList(common, chosen.size());
        List<Turn> worse = rejected.subList(common, rejected.size());
        requireAnswer(record, "chosen", better);
        requireAnswer(record, "rejected", worse);
        requireSystemFirst(record, context, better, worse);
        return new Preference.OfTurns(context, better, worse);
    }

    static void requireAnswer(JsonRecord record, String field, List<Turn> turns) throws CorpusException {
        if (turns.getLast().speaker() != Speaker.ASSISTANT) {
            throw record.wrong("the last turn of `%s` is the %s's, and not an answer of the assistant"
                    .formatted(field, turns.getLast().speaker().role()));
        }
    }

    private static void requireSystemFirst(JsonRecord record, List<Turn> context, List<Turn> better, List<Turn> worse)
            throws CorpusException {
        for (List<Turn> answer : List.of(better, worse)) {
            List<Turn> all = new ArrayList<>(context);
            all.addAll(answer);
            for (int i = 1; i < all.size(); i++) {
                if (all.get(i).speaker() == Speaker.SYSTEM) {
                    throw record.wrong("turn %d is the system's, which may only be the first".formatted(i + 1));
                }
            }
        }
    }

    private static void requireDifferent(JsonRecord record, boolean equal) throws CorpusException {
        if (equal) {
            throw record.wrong("`chosen` and `rejected` are equal, so nothing is preferred; remove the pair");
        }
    }
}
