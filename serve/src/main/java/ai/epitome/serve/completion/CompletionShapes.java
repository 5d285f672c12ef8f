package ai.epitome.serve.completion;

import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.text.Utf8Stream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// OpenAI's shapes of a completion: the whole object, a chunk of a stream, log-probabilities, usage.
///
/// @param id the completion's id, the same in every chunk
/// @param created seconds since 1970
/// @param model id of the model
public record CompletionShapes(String id, long created, String model) {

    /// The object around the choices; chunks of a stream have the same.
    ObjectNode completion(List<ObjectNode> choices) {
        ObjectNode root = JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("object", "text_completion")
                .put("created", created)
                .put("model", model)
                .put("system_fingerprint", "fp_epitome");
        root.putArray("choices").addAll(choices);
        return root;
    }

    /// @param logprobs null for none
    /// @param finish null while the choice goes on
    static ObjectNode choice(int index, String text, ObjectNode logprobs, FinishReason finish) {
        ObjectNode choice =
                JsonNodeFactory.instance.objectNode().put("text", text).put("index", index);
        choice.set("logprobs", logprobs == null ? JsonNodeFactory.instance.nullNode() : logprobs);
        return choice.put("finish_reason", finish == null ? null : RequestMeter.word(finish));
    }

    /// Log-probabilities of the tokens of one choice, told one part after the other.
    public static final class Logprobs {
        private final int top;
        private final Utf8Stream text = new Utf8Stream();
        private int offset;

        /// @param top alternatives at each position
        /// @param offset Unicode characters before the first token
        public Logprobs(int top, int offset) {
            this.top = top;
            this.offset = offset;
        }

        /// The parallel arrays for the next tokens.
        public ObjectNode next(List<ScoredToken> scored) {
            ObjectNode root = JsonNodeFactory.instance.objectNode();
            ArrayNode tokens = root.putArray("tokens");
            ArrayNode values = root.putArray("token_logprobs");
            ArrayNode alternatives = JsonNodeFactory.instance.arrayNode();
            ArrayNode offsets = JsonNodeFactory.instance.arrayNode();
            for (ScoredToken token : scored) {
                boolean predicted = !Float.isNaN(token.logProbability());
                tokens.add(tokenText(token.bytes()));
                if (predicted) {
                    values.add(token.logProbability());
                    alternatives.add(alternatives(token));
                } else {
                    values.addNull();
                    alternatives.addNull();
                }
                offsets.add(offset);
                String completed = text.push(token.bytes());
                offset += completed.codePointCount(0, completed.length());
            }
            root.set("top_logprobs", top == 0 ? JsonNodeFactory.instance.nullNode() : alternatives);
            root.set("text_offset", offsets);
            return root;
        }

        /// The chosen token is always among them, even when it is not one of the likeliest.
        private static ObjectNode alternatives(ScoredToken token) {
            ObjectNode map = JsonNodeFactory.instance.objectNode();
            for (ScoredToken.Alternative alternative : token.top()) {
                String text = tokenText(alternative.bytes());
                if (!map.has(text)) {
                    map.put(text, alternative.logProbability());
                }
            }
            String chosen = tokenText(token.bytes());
            if (!map.has(chosen)) {
                map.put(chosen, token.logProbability());
            }
            return map;
        }
    }

    /// A token as text; one that is not whole characters as OpenAI writes it, `bytes:\xe2\x80`.
    static String tokenText(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return "bytes:" + HexFormat.of().withPrefix("\\x").formatHex(bytes);
        }
    }
}
