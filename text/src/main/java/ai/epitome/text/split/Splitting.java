package ai.epitome.text.split;

import java.util.List;
import java.util.Map;

/// How text is split into pieces before byte pairs are merged within each: regular expressions applied one after
/// another, where every match is a piece and so is what lies between two matches. No text is ever lost. An empty
/// list means that the whole text is one piece.
///
/// The patterns are the ones in `tokenizer.json` files. GPT-2's, GPT-4's and GPT-4o's run as hand-written
/// scanners, others with [java.util.regex.Pattern].
///
/// @param patterns regular expressions in the syntax of `tokenizer.json` (Oniguruma) or tiktoken (Rust)
public record Splitting(List<String> patterns) {

    private static final String GPT2_PATTERN =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    private static final String GPT4_PATTERN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|%s"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final String GPT4O_PATTERN = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
            + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /// GPT-2's pattern, also of r50k, p50k and GPT-NeoX.
    public static final Splitting GPT2 = new Splitting(List.of(GPT2_PATTERN));

    /// Every digit by itself, the rest by GPT-2's pattern: StarCoder, SmolLM, Command R.
    public static final Splitting GPT2_DIGITS = new Splitting(List.of("\\p{N}", GPT2_PATTERN));

    /// GPT-4's pattern, cl100k, which Llama 3 took over: numbers in groups of three.
    public static final Splitting GPT4 = new Splitting(List.of(GPT4_PATTERN.formatted("\\p{N}{1,3}")));

    /// Qwen's variant of GPT-4's pattern: every digit by itself.
    public static final Splitting QWEN2 = new Splitting(List.of(GPT4_PATTERN.formatted("\\p{N}")));

    /// GPT-4o's pattern, o200k.
    public static final Splitting GPT4O = new Splitting(List.of(GPT4O_PATTERN));

    /// DeepSeek LLM's sequence of patterns.
    public static final Splitting DEEPSEEK_LLM = new Splitting(DeepSeekPattern.PATTERNS);

    /// No splitting at all.
    public static final Splitting NONE = new Splitting(List.of());

    /// A `tokenizer.json` has a handful; more is no sensible file.
    public static final int MOST_PATTERNS = 32;

    private static final Map<String, Splitter> HAND_WRITTEN = Map.of(
            GPT2_PATTERN,
            new Gpt2Splitter(),
            GPT4_PATTERN.formatted("\\p{N}"),
            new Gpt4Splitter(1),
            GPT4_PATTERN.formatted("\\p{N}{1,2}"),
            new Gpt4Splitter(2),
            GPT4_PATTERN.formatted("\\p{N}{1,3}"),
            new Gpt4Splitter(3),
            GPT4O_PATTERN,
            new Gpt4oSplitter());

    /// @throws IllegalArgumentException if there are more than 32 patterns
    public Splitting {
        patterns = List.copyOf(patterns);
        if (patterns.size() > MOST_PATTERNS) {
            throw new IllegalArgumentException(
                    "splitting has " + patterns.size() + " patterns; at most " + MOST_PATTERNS + " are allowed");
        }
    }

    /// @throws IllegalArgumentException if a pattern is not a usable regular expression
    public Splitter splitter() {
        return patterns.stream()
                .map(Splitting::splitter)
                .reduce(SequenceSplitter::new)
                .orElseGet(WholeText::new);
    }

    private static Splitter splitter(String pattern) {
        Splitter handWritten = HAND_WRITTEN.get(pattern);
        return handWritten != null ? handWritten : new RegexSplitter(pattern);
    }
}
