package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.SpecialTokens;
import ai.epitome.text.split.Splitting;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What tiktoken's rank files leave out: the splitting pattern and the control tokens of OpenAI's named encodings.
public enum TiktokenEncoding {
    /// GPT-2 and GPT-3.
    R50K_BASE(Splitting.GPT2, List.of(special(50256, SpecialTokens.END_OF_TEXT))),
    /// Codex: r50k with runs of 2 to 25 spaces.
    P50K_BASE(Splitting.GPT2, List.of(special(50256, SpecialTokens.END_OF_TEXT))),
    /// p50k with tokens for filling in the middle.
    P50K_EDIT(
            Splitting.GPT2,
            List.of(
                    special(50256, SpecialTokens.END_OF_TEXT),
                    special(50281, "<|fim_prefix|>"),
                    special(50282, "<|fim_middle|>"),
                    special(50283, "<|fim_suffix|>"))),
    /// GPT-3.5 and GPT-4.
    CL100K_BASE(
            Splitting.GPT4,
            List.of(
                    special(100257, SpecialTokens.END_OF_TEXT),
                    special(100258, "<|fim_prefix|>"),
                    special(100259, "<|fim_middle|>"),
                    special(100260, "<|fim_suffix|>"),
                    special(100276, "<|endofprompt|>"))),
    /// GPT-4o and later.
    O200K_BASE(
            Splitting.GPT4O, List.of(special(199999, SpecialTokens.END_OF_TEXT), special(200018, "<|endofprompt|>")));

    private final Splitting splitting;
    private final List<AddedToken> specialTokens;

    TiktokenEncoding(Splitting splitting, List<AddedToken> specialTokens) {
        this.splitting = splitting;
        this.specialTokens = specialTokens;
    }

    private static AddedToken special(int id, String name) {
        return new AddedToken(id, name, true);
    }

    /// How text is cut into pieces.
    public Splitting splitting() {
        return splitting;
    }

    /// The control tokens.
    public List<AddedToken> specialTokens() {
        return specialTokens;
    }

    /// The encoding that a file name such as `cl100k_base.tiktoken` starts with; `gpt2` is r50k.
    static Optional<TiktokenEncoding> ofFileName(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith("gpt2")) {
            return Optional.of(R50K_BASE);
        }
        return Arrays.stream(values())
                .filter(encoding -> lower.startsWith(encoding.name().toLowerCase(Locale.ROOT)))
                .findFirst();
    }
}
