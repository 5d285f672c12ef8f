package ai.epitome.text;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The byte-level BPE in a GGUF file's metadata: `tokenizer.ggml.model` is `gpt2`, tokens and merges are written in
/// GPT-2's alphabet, and `tokenizer.ggml.pre` names the splitting.
final class GgufTokenizer {
    private static final String PREFIX = "tokenizer.ggml.";
    /// `tokenizer.ggml.token_type`: a control token.
    private static final long CONTROL = 3;
    /// `tokenizer.ggml.token_type`: text that stands outside the merges.
    private static final long USER_DEFINED = 4;

    private GgufTokenizer() {}

    static Tokenizer read(InputStream input, String where) throws IOException {
        Map<String, Object> metadata = GgufMetadata.read(input, where);
        if (!"gpt2".equals(metadata.get(PREFIX + "model"))) {
            throw new MalformedTokenizerException(
                    where,
                    "tokenizer.ggml.model is " + metadata.get(PREFIX + "model")
                            + "; only byte-level BPE, \"gpt2\", can be read");
        }
        String pre = metadata.getOrDefault(PREFIX + "pre", "default").toString();
        var builder = new MergeListBuilder(where);
        List<AddedToken> added = tokens(metadata, builder, where);
        for (String merge : list(metadata, "merges", String.class, where)) {
            builder.merge(merge);
        }
        return builder.build(splitting(pre, where), normalization(pre), added, pre.startsWith("llama"));
    }

    private static List<AddedToken> tokens(Map<String, Object> metadata, MergeListBuilder builder, String where)
            throws MalformedTokenizerException {
        List<String> tokens = list(metadata, "tokens", String.class, where);
        List<Long> types = list(metadata, "token_type", Long.class, where);
        if (types.size() != tokens.size()) {
            throw new MalformedTokenizerException(
                    where, tokens.size() + " tokens but " + types.size() + " token types");
        }
        var added = new ArrayList<AddedToken>();
        for (int id = 0; id < tokens.size(); id++) {
            String text = tokens.get(id);
            long type = types.get(id);
            if (type == CONTROL || type == USER_DEFINED) {
                try {
                    added.add(new AddedToken(id, text, type == CONTROL));
                } catch (IllegalArgumentException e) {
                    throw new MalformedTokenizerException(where, e);
                }
            } else {
                builder.token(text, id);
            }
        }
        return added;
    }

    private static <T> List<T> list(Map<String, Object> metadata, String name, Class<T> type, String where)
            throws MalformedTokenizerException {
        if (metadata.get(PREFIX + name) instanceof List<?> list && list.stream().allMatch(type::isInstance)) {
            return list.stream().map(type::cast).toList();
        }
        throw new MalformedTokenizerException(where, PREFIX + name + " is no list of " + type.getSimpleName());
    }

    /// The splittings that llama.cpp gives these names.
    private static Splitting splitting(String pre, String where) throws MalformedTokenizerException {
        return switch (pre) {
            case "default", "gpt-2", "olmo", "jais", "mpt" -> Splitting.GPT2;
            case "llama3", "llama-v3", "llama-bpe", "dbrx", "smaug-bpe" -> Splitting.GPT4;
            case "qwen2", "stablelm2", "hunyuan", "megrez" -> Splitting.QWEN2;
            case "gpt-4o", "llama4" -> Splitting.GPT4O;
            case "deepseek-llm" -> Splitting.DEEPSEEK_LLM;
            default -> throw new MalformedTokenizerException(where, "tokenizer.ggml.pre \"" + pre + "\" is unknown");
        };
    }

    private static Normalization normalization(String pre) {
        return pre.equals("qwen2") ? Normalization.NFC : Normalization.NONE;
    }
}
