package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.Normalization;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.VocabularyPiece;
import ai.epitome.text.split.Splitting;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The tokenizer in a GGUF file's metadata. `tokenizer.ggml.model` says which kind:
///
/// - `gpt2`, byte-level BPE: tokens and merges in GPT-2's alphabet; `tokenizer.ggml.pre` names the splitting;
/// - `llama`, SentencePiece's BPE: tokens with scores.
final class GgufTokenizer {
    private static final String PREFIX = "tokenizer.ggml.";

    private final GgufMetadata metadata;
    private final String where;

    private GgufTokenizer(GgufMetadata metadata, String where) {
        this.metadata = metadata;
        this.where = where;
    }

    static Tokenizer of(GgufMetadata metadata, String where) throws MalformedTokenizerException {
        var reader = new GgufTokenizer(metadata, where);
        String model = reader.value("model", String.class, "missing");
        return switch (model) {
            case "gpt2" -> reader.bytePairs();
            case "llama" -> reader.sentencePiece();
            default ->
                throw reader.malformed("tokenizer.ggml.model is " + model
                        + "; byte-level BPE, \"gpt2\", and SentencePiece's BPE, \"llama\", can be read");
        };
    }

    private Tokenizer bytePairs() throws MalformedTokenizerException {
        String pre = value("pre", String.class, "default");
        var builder = new MergeListBuilder(where);
        List<AddedToken> added = tokens(builder);
        for (String merge : list("merges", String.class)) {
            builder.merge(merge);
        }
        boolean llama3 = isLlama3(pre);
        BytePairTokenizer tokenizer = builder.build(splitting(pre), normalization(pre), added, llama3);
        try {
            return tokenizer.withBeginOfText(beginOfText(llama3));
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    private Tokenizer sentencePiece() throws MalformedTokenizerException {
        List<String> tokens = list("tokens", String.class);
        List<Double> scores = list("scores", Double.class);
        List<Long> types = list("token_type", Long.class);
        requireSame(tokens.size(), "scores", scores.size());
        requireSame(tokens.size(), "token types", types.size());
        try {
            var pieces = new ArrayList<VocabularyPiece>();
            for (int id = 0; id < tokens.size(); id++) {
                pieces.add(new VocabularyPiece(
                        tokens.get(id), scores.get(id).floatValue(), VocabularyPiece.Type.of(types.get(id))));
            }
            return new SentencePieceTokenizer(
                    pieces, value("add_space_prefix", Boolean.class, true), beginOfText(true));
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    private void requireSame(int tokens, String what, int count) throws MalformedTokenizerException {
        if (tokens != count) {
            throw malformed(tokens + " tokens but " + count + " " + what);
        }
    }

    private List<AddedToken> tokens(MergeListBuilder builder) throws MalformedTokenizerException {
        List<String> tokens = list("tokens", String.class);
        List<Long> types = list("token_type", Long.class);
        requireSame(tokens.size(), "token types", types.size());
        var added = new ArrayList<AddedToken>();
        for (int id = 0; id < tokens.size(); id++) {
            String text = tokens.get(id);
            try {
                switch (VocabularyPiece.Type.of(types.get(id))) {
                    case CONTROL -> added.add(new AddedToken(id, text, true));
                    case USER_DEFINED -> added.add(new AddedToken(id, text, false));
                    case UNUSED -> {} // padding up to the model's ids
                    default -> builder.token(text, id);
                }
            } catch (IllegalArgumentException e) {
                throw new MalformedTokenizerException(where, e);
            }
        }
        return added;
    }

    /// @param usual whether tokenizers of this kind put a token before every text where the file does not say
    private OptionalInt beginOfText(boolean usual) throws MalformedTokenizerException {
        long id = value("bos_token_id", Long.class, usual ? 1L : -1L);
        boolean wanted = value("add_bos_token", Boolean.class, usual) && id >= 0;
        return wanted ? OptionalInt.of((int) Math.min(id, Integer.MAX_VALUE)) : OptionalInt.empty();
    }

    private <T> T value(String name, Class<T> type, T absent) throws MalformedTokenizerException {
        Object value = metadata.values().getOrDefault(PREFIX + name, absent);
        if (!type.isInstance(value)) {
            throw malformed(PREFIX + name + " is " + value + ", expected a " + type.getSimpleName());
        }
        return type.cast(value);
    }

    private <T> List<T> list(String name, Class<T> type) throws MalformedTokenizerException {
        if (metadata.values().get(PREFIX + name) instanceof List<?> list
                && list.stream().allMatch(type::isInstance)) {
            return list.stream().map(type::cast).toList();
        }
        throw malformed(PREFIX + name + " is no list of " + type.getSimpleName());
    }

    private MalformedTokenizerException malformed(String rule) {
        return new MalformedTokenizerException(where, rule);
    }

    private static boolean isLlama3(String pre) {
        return switch (pre) {
            case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral" -> true;
            default -> false;
        };
    }

    /// The splittings that llama.cpp gives these names.
    private Splitting splitting(String pre) throws MalformedTokenizerException {
        if (isLlama3(pre)) {
            return Splitting.GPT4;
        }
        return switch (pre) {
            case "default", "gpt-2", "phi-2", "olmo", "jais", "mpt", "trillion", "roberta-bpe" -> Splitting.GPT2;
            case "dbrx", "smaug-bpe" -> Splitting.GPT4;
            case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b" ->
                Splitting.GPT2_DIGITS;
            case "qwen2", "stablelm2", "hunyuan", "megrez", "deepseek-r1-qwen" -> Splitting.QWEN2;
            case "gpt-4o", "llama4" -> Splitting.GPT4O;
            case "deepseek-llm" -> Splitting.DEEPSEEK_LLM;
            default -> throw malformed("tokenizer.ggml.pre \"" + pre + "\" is unknown");
        };
    }

    private static Normalization normalization(String pre) {
        return pre.equals("qwen2") || pre.equals("deepseek-r1-qwen") ? Normalization.NFC : Normalization.NONE;
    }
}
