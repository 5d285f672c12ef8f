package ai.epitome.text.file;

import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.Normalization;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.split.Splitting;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/// Whatever the bytes of a tokenizer's file are: a tokenizer that gives text back, or the format's own exception with
/// the file's name. A reader that hangs or fills the memory fails the build.
class TokenizerFileFuzzTest {
    private static final byte[] TEXT = "Some text, 12 naïve 東京\n  <|endoftext|> x".getBytes(StandardCharsets.UTF_8);

    /// Reads a tokenizer from bytes.
    @FunctionalInterface
    private interface Reader {
        Tokenizer read(InputStream input) throws IOException;
    }

    /// A format: how it is read, and a whole file of it.
    private record Format(String name, Reader reader, byte[] valid) {}

    private static final List<Format> FORMATS = formats();

    private static List<Format> formats() {
        byte[] json = Tokenizers.toJson(small());
        byte[] encoder = encoder();
        return List.of(
                new Format("tokenizer.json", input -> TokenizerJsonReader.read(input, "fuzzed"), json),
                new Format("tiktoken", input -> tiktoken(input), ranks()),
                new Format("GGUF", input -> Tokenizers.ofGguf(GgufMetadata.read(input, "fuzzed"), "fuzzed"), gguf()),
                new Format("encoder.json", input -> Gpt2Files.read(input, merges("t h\n"), "fuzzed"), encoder),
                new Format(
                        "vocab.bpe",
                        input -> Gpt2Files.read(new ByteArrayInputStream(encoder), input, "fuzzed"),
                        "#version: 0.2\nt h\nth e\n".getBytes(StandardCharsets.UTF_8)),
                new Format("tokenizer.bin", input -> Llama2cTokenizer.read(input, "fuzzed"), Pieces.llama2c()),
                new Format(
                        "GGUF of SentencePiece",
                        input -> Tokenizers.ofGguf(GgufMetadata.read(input, "fuzzed"), "fuzzed"),
                        Pieces.gguf()),
                new Format(
                        "tokenizer.model", input -> SentencePieceFile.read(input, "fuzzed"), Pieces.model(2, false)));
    }

    @FuzzTest
    void anyTokenizerJson(byte[] bytes) throws IOException {
        read(FORMATS.get(0), bytes);
    }

    @FuzzTest
    void anyTiktokenRanks(byte[] bytes) throws IOException {
        read(FORMATS.get(1), bytes);
    }

    @FuzzTest
    void anyGguf(byte[] bytes) throws IOException {
        read(FORMATS.get(2), bytes);
    }

    @FuzzTest
    void anyGpt2Vocabulary(byte[] bytes) throws IOException {
        read(FORMATS.get(3), bytes);
    }

    @FuzzTest
    void anyGpt2Merges(byte[] bytes) throws IOException {
        read(FORMATS.get(4), bytes);
    }

    @FuzzTest
    void anyLlama2cVocabulary(byte[] bytes) throws IOException {
        read(FORMATS.get(5), bytes);
    }

    @FuzzTest
    void anyGgufOfSentencePiece(byte[] bytes) throws IOException {
        read(FORMATS.get(6), bytes);
    }

    @FuzzTest
    void anyTokenizerModel(byte[] bytes) throws IOException {
        read(FORMATS.get(7), bytes);
    }

    @Property(tries = 4000)
    void aValidFileWithSomeBytesChanged(
            @ForAll @IntRange(max = 7) int format,
            @ForAll @Size(min = 1, max = 6) int[] places,
            @ForAll @Size(6) byte[] values)
            throws IOException {
        byte[] bytes = FORMATS.get(format).valid.clone();
        for (int i = 0; i < places.length; i++) {
            bytes[Math.floorMod(places[i], bytes.length)] = values[i];
        }
        read(FORMATS.get(format), bytes);
    }

    @Property(tries = 1000)
    void aTruncatedFile(@ForAll @IntRange(max = 7) int format, @ForAll @IntRange(max = 100_000) int length)
            throws IOException {
        byte[] valid = FORMATS.get(format).valid;
        read(FORMATS.get(format), Arrays.copyOf(valid, length % valid.length));
    }

    @Property(tries = 1)
    void theValidFilesAreRead() throws IOException {
        for (Format format : FORMATS) {
            roundTrip(format.reader.read(new ByteArrayInputStream(format.valid)));
        }
    }

    private static void read(Format format, byte[] bytes) throws IOException {
        try {
            roundTrip(format.reader.read(new ByteArrayInputStream(bytes)));
        } catch (MalformedTokenizerException expected) {
            if (!expected.getMessage().startsWith("fuzzed")) {
                throw new AssertionError(format.name + ": the message does not name the file", expected);
            }
        }
    }

    private static void roundTrip(Tokenizer tokenizer) {
        int[] ids;
        try {
            ids = tokenizer.encode(TEXT);
        } catch (IllegalStateException expected) { // a splitting pattern that a changed file made too expensive
            return;
        }
        boolean same = Arrays.equals(tokenizer.decode(ids), TEXT);
        boolean normalized =
                tokenizer instanceof BytePairTokenizer pairs && pairs.normalization() != Normalization.NONE;
        boolean unspelled = tokenizer instanceof SentencePieceTokenizer pieces && !pieces.spellsAllBytes();
        if (!same && !normalized && !unspelled) {
            throw new AssertionError("text did not come back from " + Arrays.toString(ids));
        }
        for (int id : ids) {
            if (tokenizer.specialTokens().containsValue(id)) {
                throw new AssertionError("plain text gave the control token " + id);
            }
        }
    }

    private static Tokenizer tiktoken(InputStream input) throws IOException {
        byte[][] tokens = TiktokenFile.read(input, "fuzzed");
        try {
            return new BytePairTokenizer(
                    BytePairVocabulary.ofRanks(tokens), Splitting.GPT4, Normalization.NONE, List.of());
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException("fuzzed", e);
        }
    }

    private static BytePairTokenizer small() {
        byte[] text = "the cat and the hat; naïve 東京 東京".getBytes(StandardCharsets.UTF_8);
        return BytePairTrainer.train(List.of(text).iterator(), 270, 1);
    }

    private static byte[] ranks() {
        var output = new ByteArrayOutputStream();
        try {
            TiktokenFile.write(small().vocabulary(), output);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return output.toByteArray();
    }

    private static InputStream merges(String lines) {
        return new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8));
    }

    /// The bytes, `th`, `the`, and a control token.
    private static List<String> gpt2Tokens() {
        String[] tokens = new String[259];
        for (int b = 0; b < 256; b++) {
            tokens[b] = ByteAlphabet.toText(new byte[] {(byte) b});
        }
        tokens[256] = "th";
        tokens[257] = "the";
        tokens[258] = "<|endoftext|>";
        return List.of(tokens);
    }

    private static byte[] encoder() {
        var json = new StringBuilder("{");
        List<String> tokens = gpt2Tokens();
        for (int id = 0; id < tokens.size(); id++) {
            String text = tokens.get(id).replace("\\", "\\\\").replace("\"", "\\\"");
            json.append(id == 0 ? "" : ", ")
                    .append('"')
                    .append(text)
                    .append("\": ")
                    .append(id);
        }
        return json.append("}").toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] gguf() {
        ByteBuffer file = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        file.put("GGUF".getBytes(StandardCharsets.US_ASCII))
                .putInt(3)
                .putLong(0)
                .putLong(4);
        string(string(file, "tokenizer.ggml.model").putInt(8), "gpt2");
        List<String> tokens = gpt2Tokens();
        string(file, "tokenizer.ggml.tokens").putInt(9).putInt(8).putLong(tokens.size());
        tokens.forEach(token -> string(file, token));
        string(file, "tokenizer.ggml.token_type").putInt(9).putInt(5).putLong(tokens.size());
        tokens.forEach(token -> file.putInt(token.startsWith("<|") ? 3 : 1));
        string(file, "tokenizer.ggml.merges").putInt(9).putInt(8).putLong(2);
        string(string(file, "t h"), "th e");
        return Arrays.copyOf(file.array(), file.position());
    }

    private static ByteBuffer string(ByteBuffer file, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return file.putLong(bytes.length).put(bytes);
    }
}
