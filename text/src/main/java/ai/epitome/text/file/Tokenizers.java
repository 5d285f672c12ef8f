package ai.epitome.text.file;

import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.Normalization;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/// Tokenizers to and from files.
///
/// ```java
/// Tokenizer tokenizer = Tokenizers.load(Path.of("model"));
/// int[] ids = tokenizer.encode("Hello world");
/// ```
public final class Tokenizers {
    /// Vocabulary and merges of a model that has two files, under the names in use.
    private static final List<List<String>> PAIRS =
            List.of(List.of("encoder.json", "vocab.bpe"), List.of("vocab.json", "merges.txt"));

    private static final String TOKENIZER_JSON = "tokenizer.json";
    /// Bytes that tell formats apart.
    private static final int START = 16;

    private Tokenizers() {}

    /// Reads a tokenizer from a model folder or a file:
    ///
    /// | file | recognised by |
    /// |---|---|
    /// | Hugging Face `tokenizer.json` | starts with `{` |
    /// | GPT-2's `encoder.json` + `vocab.bpe`, or `vocab.json` + `merges.txt` | name of either |
    /// | tiktoken ranks | `cl100k_base...`, `o200k_base...`, `r50k_base...`, `p50k_base...`, `p50k_edit...` |
    /// | GGUF, byte-level BPE or SentencePiece | starts with `GGUF` |
    /// | SentencePiece's `tokenizer.model` (BPE) | starts with a token |
    /// | `tokenizer.bin` of llama2.c | its first lengths fit each other |
    ///
    /// Each may be compressed with gzip. In folders, `tokenizer.model` comes first: beside it, a
    /// `tokenizer.json` says the same in another way. Then the others, in this order.
    ///
    /// @throws MalformedTokenizerException if the file breaks its format's rules or needs what is not there
    /// @throws IOException if it cannot be read
    public static Tokenizer load(Path fileOrFolder) throws IOException {
        if (Files.isDirectory(fileOrFolder)) {
            return load(find(fileOrFolder));
        }
        if (!Files.exists(fileOrFolder)) {
            throw new NoSuchFileException(fileOrFolder.toString(), null, "no such tokenizer file or folder");
        }
        String name = fileOrFolder.getFileName().toString();
        for (List<String> pair : PAIRS) {
            if (pair.contains(name)) {
                return loadPair(fileOrFolder.resolveSibling(pair.get(0)), fileOrFolder.resolveSibling(pair.get(1)));
            }
        }
        try (InputStream input = open(fileOrFolder)) {
            input.mark(START);
            byte[] start = input.readNBytes(START);
            input.reset();
            if (start.length == 0) {
                throw new MalformedTokenizerException(fileOrFolder.toString(), "the file is empty");
            }
            if (GgufMetadata.isMagic(start)) {
                return ofGguf(GgufMetadata.read(input, fileOrFolder.toString()), fileOrFolder.toString());
            }
            if (start[0] == '{') {
                return TokenizerJsonReader.read(input, fileOrFolder.toString());
            }
            Optional<TiktokenEncoding> encoding = TiktokenEncoding.ofFileName(name);
            if (encoding.isPresent()) {
                return readTiktoken(input, encoding.get(), fileOrFolder.toString());
            }
            if (SentencePieceFile.maybe(start)) {
                return SentencePieceFile.read(input, fileOrFolder.toString());
            }
            if (Llama2cTokenizer.maybe(start)) {
                return Llama2cTokenizer.read(input, fileOrFolder.toString());
            }
            throw new MalformedTokenizerException(
                    fileOrFolder.toString(),
                    "neither a tokenizer.json, nor GGUF, nor a model of SentencePiece, nor a tokenizer.bin of llama2.c,"
                            + " nor a rank file named after its encoding (cl100k_base.tiktoken, say)");
        }
    }

    /// The tokenizer in a GGUF file's metadata.
    ///
    /// @param where the file, for error messages
    /// @throws MalformedTokenizerException if there is none, or one of a kind that is not known
    public static Tokenizer ofGguf(GgufMetadata metadata, String where) throws MalformedTokenizerException {
        return GgufTokenizer.of(metadata, where);
    }

    /// Adds a tokenizer to the metadata of a GGUF file, and returns what a person should know of it: where llama.cpp
    /// will split text in another way.
    ///
    /// @param vocabulary ids of the model, at least the tokenizer's; the rest become unused tokens
    /// @throws IllegalArgumentException if GGUF has no way to say how this tokenizer splits
    public static List<String> toGguf(Tokenizer tokenizer, int vocabulary, GgufMetadataWriter metadata) {
        return GgufTokenizerWriter.write(tokenizer, vocabulary, metadata);
    }

    /// Reads tiktoken ranks whose encoding the file's name does not tell.
    public static Tokenizer loadTiktoken(Path file, TiktokenEncoding encoding) throws IOException {
        try (InputStream input = open(file)) {
            return readTiktoken(input, encoding, file.toString());
        }
    }

    /// Writes `tokenizer.json`: into the folder if the path is one, else as that file. The file appears under its name
    /// only when it is whole.
    public static void save(Tokenizer tokenizer, Path fileOrFolder) throws IOException {
        Path file = Files.isDirectory(fileOrFolder) ? fileOrFolder.resolve(TOKENIZER_JSON) : fileOrFolder;
        BytePairTokenizer bytePairs = asBytePairs(tokenizer);
        write(file, output -> TokenizerJsonWriter.write(bytePairs, output));
    }

    /// The content of `tokenizer.json`.
    public static byte[] toJson(Tokenizer tokenizer) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        if (tokenizer instanceof SentencePieceTokenizer pieces) {
            TokenizerJsonWriter.write(pieces, bytes);
        } else {
            TokenizerJsonWriter.write(asBytePairs(tokenizer), bytes);
        }
        return bytes.toByteArray();
    }

    /// The files of a model folder that hold the tokenizer, by name: `tokenizer.json`, and where scores join its
    /// tokens, which are pairs there, `tokenizer.model`, which says it exactly and is read first.
    public static SequencedMap<String, byte[]> toFiles(Tokenizer tokenizer) {
        SequencedMap<String, byte[]> files = new LinkedHashMap<>();
        files.put(TOKENIZER_JSON, toJson(tokenizer));
        if (tokenizer instanceof SentencePieceTokenizer pieces
                && pieces.merges().isEmpty()) {
            files.put("tokenizer.model", SentencePieceWriter.write(pieces));
        }
        return files;
    }

    /// The content of a `tokenizer.bin` of llama2.c.
    ///
    /// @param vocabulary ids of the model
    /// @throws IllegalArgumentException if llama2.c would read it as another one
    public static byte[] toLlama2c(Tokenizer tokenizer, int vocabulary) {
        return Llama2cTokenizerWriter.write(tokenizer, vocabulary);
    }

    private static BytePairTokenizer asBytePairs(Tokenizer tokenizer) {
        return switch (tokenizer) {
            case BytePairTokenizer bpe -> bpe;
            case ByteTokenizer bytes -> ByteTokenizerFile.asBytePairTokenizer(bytes);
            default ->
                throw new IllegalArgumentException(
                        "a tokenizer of kind " + tokenizer.kind() + " has no tokenizer.json");
        };
    }

    /// Writes tiktoken ranks: text tokens with their ids. tiktoken joins any two tokens that make a third, so for a
    /// vocabulary that comes from a list of merges its ids may in rare cases differ.
    public static void saveTiktoken(BytePairTokenizer tokenizer, Path file) throws IOException {
        write(file, output -> TiktokenFile.write(tokenizer.vocabulary(), output));
    }

    private static Path find(Path folder) throws IOException {
        for (String name :
                List.of("tokenizer.model", TOKENIZER_JSON, TOKENIZER_JSON + ".gz", "encoder.json", "vocab.json")) {
            if (Files.exists(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        throw new NoSuchFileException(
                folder.toString(),
                null,
                "the folder has no tokenizer.model, no tokenizer.json, no encoder.json with vocab.bpe, and no vocab.json with merges.txt");
    }

    private static Tokenizer loadPair(Path vocabulary, Path merges) throws IOException {
        try (InputStream encoder = open(vocabulary);
                InputStream list = open(merges)) {
            return Gpt2Files.read(encoder, list, vocabulary + " and " + merges.getFileName());
        }
    }

    private static Tokenizer readTiktoken(InputStream input, TiktokenEncoding encoding, String where)
            throws IOException {
        byte[][] tokens = TiktokenFile.read(input, where);
        try {
            return new BytePairTokenizer(
                    BytePairVocabulary.ofRanks(tokens),
                    encoding.splitting(),
                    Normalization.NONE,
                    encoding.specialTokens());
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    private static InputStream open(Path file) throws IOException {
        var input = new BufferedInputStream(Files.newInputStream(file));
        input.mark(2);
        boolean zipped = input.read() == 0x1F && input.read() == 0x8B;
        input.reset();
        if (!zipped) {
            return input;
        }
        return new BufferedInputStream(new Unzipped(input, file.toString()));
    }

    private static void write(Path file, Contents contents) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try (OutputStream output = new BufferedOutputStream(Files.newOutputStream(part))) {
            contents.writeTo(output);
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(part);
            throw e;
        }
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    @FunctionalInterface
    private interface Contents {
        void writeTo(OutputStream output) throws IOException;
    }

    /// A gzip stream that names its file when it is broken.
    private static final class Unzipped extends FilterInputStream {
        private final String where;

        Unzipped(InputStream zipped, String where) throws IOException {
            super(new GZIPInputStream(zipped));
            this.where = where;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            try {
                return super.read(buffer, offset, length);
            } catch (ZipException e) {
                throw new MalformedTokenizerException(where, e);
            }
        }
    }
}
