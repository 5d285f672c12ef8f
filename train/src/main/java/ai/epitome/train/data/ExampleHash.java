package ai.epitome.train.data;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/// SHA-256 of tokens, to tell sets of examples apart.
public final class ExampleHash {
    private final MessageDigest digest = Document.newSha256();

    /// Adds a number.
    public ExampleHash add(int number) {
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(number).flip());
        return this;
    }

    /// Adds a text.
    public ExampleHash add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        add(bytes.length);
        digest.update(bytes);
        return this;
    }

    /// Adds tokens and which of them are learned.
    public ExampleHash add(Example example) {
        add(example.tokens());
        for (boolean learned : example.learned()) {
            digest.update((byte) (learned ? 1 : 0));
        }
        return this;
    }

    /// Adds tokens.
    public ExampleHash add(int[] tokens) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (tokens.length + 1));
        bytes.putInt(tokens.length);
        for (int token : tokens) {
            bytes.putInt(token);
        }
        digest.update(bytes.flip());
        return this;
    }

    /// Adds examples in their order.
    public ExampleHash add(List<Example> examples) {
        add(examples.size());
        examples.forEach(this::add);
        return this;
    }

    /// In hexadecimal; nothing may be added afterwards.
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
