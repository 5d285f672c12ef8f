package ai.epitome.compress;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.ModelFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// SHA-256 of a trained model and of its tokenizer, in hexadecimal: a reader has to have the same.
///
/// @param model of `config.json` and all `.safetensors` files with their index, by name, each as its name's length,
///     name, length and content (lengths as 8 bytes, big-endian); of a file that is a model alone, its content
/// @param tokenizer of `tokenizer.json` or `tokenizer.model`, or of the tokenizer beside a file; of no bytes where
///     there is none
public record ModelHashes(String model, String tokenizer) {
    private static final int CHUNK = 1 << 16;

    /// Those of a model, a folder or a file.
    public static ModelHashes of(Path source) throws IOException {
        return Files.isDirectory(source) ? ofFolder(source) : ofFile(source);
    }

    private static ModelHashes ofFile(Path file) throws IOException {
        MessageDigest model = sha256();
        add(model, file);
        MessageDigest tokenizer = sha256();
        Optional<Path> beside = LoadedModel.tokenizerBeside(file);
        if (beside.isPresent()) {
            add(tokenizer, beside.get());
        }
        return new ModelHashes(hex(model), hex(tokenizer));
    }

    private static ModelHashes ofFolder(Path folder) throws IOException {
        MessageDigest model = sha256();
        for (Path file : weightFiles(folder)) {
            byte[] name = file.getFileName().toString().getBytes(StandardCharsets.UTF_8);
            model.update(length(name.length));
            model.update(name);
            model.update(length(Files.size(file)));
            add(model, file);
        }
        MessageDigest tokenizer = sha256();
        Optional<Path> tokens = ModelFolder.tokenizerFile(folder);
        if (tokens.isPresent()) {
            add(tokenizer, tokens.get());
        }
        return new ModelHashes(hex(model), hex(tokenizer));
    }

    /// The files of a model that are hashed, which are those that a reader has to have.
    public static List<Path> files(Path source) throws IOException {
        boolean folder = Files.isDirectory(source);
        List<Path> weights = folder ? weightFiles(source) : List.of(source);
        Optional<Path> tokenizer = folder ? ModelFolder.tokenizerFile(source) : LoadedModel.tokenizerBeside(source);
        return Stream.concat(weights.stream(), tokenizer.stream()).toList();
    }

    private static List<Path> weightFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> belongs(file.getFileName().toString()))
                    .sorted()
                    .toList();
        }
    }

    /// Training leaves its own files in the folder, which change nothing of what the model predicts.
    private static boolean belongs(String name) {
        return name.equals("config.json")
                || name.equals("model.safetensors.index.json")
                || name.endsWith(".safetensors") && !name.startsWith("optimizer");
    }

    private static byte[] length(long length) {
        return ByteBuffer.allocate(Long.BYTES).putLong(length).array();
    }

    private static void add(MessageDigest digest, Path file) throws IOException {
        byte[] chunk = new byte[CHUNK];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                digest.update(chunk, 0, read);
            }
        }
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    /// Every Java platform has it.
    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
