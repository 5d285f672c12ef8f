package ai.epitome.train.task;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What an answer has to be. Space around an answer never counts.
public sealed interface Check {
    /// Whether an answer is right.
    boolean passes(String answer);

    /// These words and no others.
    record Exactly(String words) implements Check {
        @Override
        public boolean passes(String answer) {
            return answer.strip().equals(words);
        }
    }

    /// JSON of the same value, however it is spaced and whatever the order of its fields.
    record SameJson(JsonNode value) implements Check {
        private static final JsonMapper JSON = new JsonMapper();

        static SameJson of(String text) {
            return new SameJson(JSON.readTree(text));
        }

        @Override
        public boolean passes(String answer) {
            try {
                return JSON.readTree(answer).equals(value);
            } catch (JacksonException e) {
                return false;
            }
        }
    }

    /// These words somewhere.
    record Contains(String words) implements Check {
        @Override
        public boolean passes(String answer) {
            return answer.contains(words);
        }
    }
}
