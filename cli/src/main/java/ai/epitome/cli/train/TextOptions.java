package ai.epitome.cli.train;

import picocli.CommandLine.Option;

/// How a text becomes training rows.
public final class TextOptions {
    @Option(
            names = "--tokenizer",
            paramLabel = "TOKENIZER",
            description = "auto, byte, bpe:VOCABULARY to train one, or a tokenizer's file (default: auto, which is byte"
                    + " for texts below 16 MB and bpe:16384 above).",
            converter = TokenizerChoice.Converter.class)
    private TokenizerChoice tokenizer = new TokenizerChoice.Automatic();

    @Option(names = "--packed", description = "Whole documents side by side, with no attention from one to another.")
    private boolean packed;

    TokenizerChoice tokenizer() {
        return tokenizer;
    }

    boolean packed() {
        return packed;
    }
}
