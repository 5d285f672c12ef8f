package ai.epitome.cli.train;

import ai.epitome.cli.text.CorpusTexts;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusSummary;
import ai.epitome.train.data.HeldOut;
import ai.epitome.train.data.TokenTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Which tokenizer a new model gets.
public sealed interface TokenizerChoice {
    /// Texts below this many bytes are read byte by byte: they are too short to learn rare tokens from.
    long SMALL_TEXT = 16 << 20;

    /// Tokens of a vocabulary that nobody chose.
    int USUAL_VOCABULARY = 16_384;

    /// Bytes for a small text, trained byte pairs for a large one.
    record Automatic() implements TokenizerChoice {}

    /// One token a byte.
    record Bytes() implements TokenizerChoice {}

    /// Byte pairs trained on the text.
    record Trained(int vocabulary) implements TokenizerChoice {}

    /// A tokenizer's file, or a model's folder.
    record Existing(Path path) implements TokenizerChoice {}

    /// The tokenizer: that of the model's folder where it has one.
    ///
    /// @throws IllegalArgumentException if that one is not what was chosen
    default Tokenizer tokenizer(
            Path folder, Corpus corpus, CorpusSummary summary, HeldOut rule, int threads, Consumer<String> notices)
            throws IOException {
        Path own = folder.resolve("tokenizer.json");
        if (Files.exists(own)) {
            Tokenizer kept = Tokenizers.load(own);
            if (!describes(kept, corpus, rule, threads, notices)) {
                throw new IllegalArgumentException(
                        "%s has %,d tokens (%s), and --tokenizer asks for another; leave it out, or give another folder"
                                .formatted(own, kept.vocabularySize(), kept.kind()));
            }
            return kept;
        }
        return switch (this) {
            case Automatic _ when summary.bytes() < SMALL_TEXT -> byteTokenizer(summary);
            case Automatic _ -> train(corpus, rule, USUAL_VOCABULARY, threads, notices);
            case Bytes _ -> byteTokenizer(summary);
            case Trained(int vocabulary) -> train(corpus, rule, vocabulary, threads, notices);
            case Existing(Path path) -> Tokenizers.load(path);
        };
    }

    /// Whether a model's tokenizer is the one that this choice would have given it.
    private boolean describes(Tokenizer kept, Corpus corpus, HeldOut rule, int threads, Consumer<String> notices)
            throws IOException {
        return switch (this) {
            case Automatic _ -> true;
            case Bytes _ -> kept.kind().equals("byte");
            // Fewer tokens come out of a text that has no more pairs: whether it has, only training tells.
            case Trained(int vocabulary) ->
                kept.kind().equals("bpe")
                        && (kept.vocabularySize() == vocabulary
                                || kept.vocabularySize() < vocabulary
                                        && same(kept, train(corpus, rule, vocabulary, threads, notices)));
            case Existing(Path path) -> same(kept, Tokenizers.load(path));
        };
    }

    private static boolean same(Tokenizer one, Tokenizer other) {
        return TokenTable.of(one).sha256().equals(TokenTable.of(other).sha256());
    }

    /// A single document needs no token that separates documents.
    private static Tokenizer byteTokenizer(CorpusSummary summary) {
        return summary.documents() == 1 ? new ByteTokenizer() : new ByteTokenizer(List.of(BytePairTrainer.END_OF_TEXT));
    }

    private static Tokenizer train(Corpus corpus, HeldOut rule, int vocabulary, int threads, Consumer<String> notices)
            throws IOException {
        notices.accept("training a tokenizer of %,d tokens ...".formatted(vocabulary));
        try (CorpusTexts documents = CorpusTexts.forTraining(corpus, rule)) {
            return BytePairTrainer.train(documents, vocabulary, threads);
        }
    }

    /// Reads `auto`, `byte`, `bpe:32768`, or a path.
    final class Converter implements ITypeConverter<TokenizerChoice> {
        @Override
        public TokenizerChoice convert(String text) {
            if (text.equals("auto")) {
                return new Automatic();
            }
            if (text.equals("byte")) {
                return new Bytes();
            }
            if (text.matches("bpe:\\d{1,7}")) {
                return new Trained(Integer.parseInt(text.substring(4)));
            }
            if (!Files.exists(Path.of(text))) {
                throw new TypeConversionException(
                        "'%s' is no tokenizer: give auto, byte, bpe:VOCABULARY (bpe:32768), or a file".formatted(text));
            }
            return new Existing(Path.of(text));
        }
    }
}
