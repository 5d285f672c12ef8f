package ai.epitome.text.file;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Puts together the metadata at the start of a GGUF file, drawn at [GgufMetadata]: version 3. llama.cpp wants each
/// key in one type and no other, so each type has a method: whole numbers are u32, in lists i32, others f32.
///
/// ```java
/// var metadata = new GgufMetadataWriter();
/// metadata.text("general.architecture", "llama");
/// metadata.integer("llama.block_count", 5);
/// byte[] header = metadata.header(48);
/// ```
public final class GgufMetadataWriter {
    private static final int VERSION = 3;
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOLEAN = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Set<String> keys = new HashSet<>();

    /// Whether there is a value for this key.
    public boolean has(String key) {
        return keys.contains(key);
    }

    /// A string, in UTF-8.
    ///
    /// @throws IllegalArgumentException when the key has a value already; so for all types
    public void text(String key, String value) {
        begin(key, STRING);
        string(value);
    }

    /// A whole number from 0 on.
    public void integer(String key, int value) {
        if (value < 0) {
            throw new IllegalArgumentException("metadata `%s` must not be negative: %d".formatted(key, value));
        }
        begin(key, UINT32);
        four(value);
    }

    /// A number, f32.
    public void number(String key, float value) {
        begin(key, FLOAT32);
        four(Float.floatToRawIntBits(value));
    }

    /// True or false.
    public void flag(String key, boolean value) {
        begin(key, BOOLEAN);
        bytes.write(value ? 1 : 0);
    }

    /// A list of strings.
    public void texts(String key, List<String> values) {
        array(key, STRING, values.size());
        values.forEach(this::string);
    }

    /// A list of whole numbers, i32.
    public void integers(String key, int... values) {
        array(key, INT32, values.length);
        for (int value : values) {
            four(value);
        }
    }

    /// A list of numbers, f32.
    public void numbers(String key, float... values) {
        array(key, FLOAT32, values.length);
        for (float value : values) {
            four(Float.floatToRawIntBits(value));
        }
    }

    /// The file up to its table of tensors.
    ///
    /// @param tensors how many the table has
    public byte[] header(long tensors) {
        ByteBuffer header = ByteBuffer.allocate(24 + bytes.size()).order(ByteOrder.LITTLE_ENDIAN);
        header.put("GGUF".getBytes(StandardCharsets.US_ASCII));
        header.putInt(VERSION).putLong(tensors).putLong(keys.size());
        return header.put(bytes.toByteArray()).array();
    }

    private void begin(String key, int type) {
        if (!keys.add(key)) {
            throw new IllegalArgumentException("metadata `%s` is given twice".formatted(key));
        }
        string(key);
        four(type);
    }

    private void array(String key, int type, int length) {
        begin(key, ARRAY);
        four(type);
        eight(length);
    }

    private void string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        eight(utf8.length);
        bytes.writeBytes(utf8);
    }

    private void four(int value) {
        bytes.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    private void eight(long value) {
        bytes.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }
}
