package ai.epitome.text;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The metadata at the start of a GGUF file, of which a tokenizer needs no more:
///
/// ```
/// "GGUF"  version u32 (2, 3)  tensors u64  pairs u64      little-endian
/// pairs x { key string, type u32, value }                 string: length u64, UTF-8 bytes
///                                                         array:  type u32, length u64, values
/// ```
///
/// Nothing is allocated by a length that the file merely claims, so a false one ends as a clear error.
final class GgufMetadata {
    private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
    private static final int MOST_PAIRS = 1 << 16;
    private static final int LONGEST_STRING = 1 << 24;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    /// Bytes of a value of each type, 0 for strings and arrays, in the order of the format's type numbers: u8, i8,
    /// u16, i16, u32, i32, f32, bool, string, array, u64, i64, f64.
    private static final int[] WIDTH = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    private static final int FLOAT32 = 6;
    private static final int FLOAT64 = 12;

    private final InputStream input;
    private final String where;
    private final byte[] scratch = new byte[Long.BYTES];
    private long offset;

    private GgufMetadata(InputStream input, String where) {
        this.input = input;
        this.where = where;
    }

    static boolean isMagic(byte[] start) {
        return Arrays.equals(start, MAGIC);
    }

    /// Keys and values: [String], [Long] (numbers and, as 0 and 1, booleans), [Double], and [List] of those.
    ///
    /// @throws MalformedTokenizerException if the file breaks the format's rules
    static Map<String, Object> read(InputStream input, String where) throws IOException {
        return new GgufMetadata(input, where).read();
    }

    private Map<String, Object> read() throws IOException {
        check(isMagic(bytes(MAGIC.length)), "no GGUF file");
        long version = number(Integer.BYTES);
        check(version == 2 || version == 3, "GGUF version " + version + "; only 2 and 3 are known");
        number(Long.BYTES);
        long pairs = number(Long.BYTES);
        check(pairs >= 0 && pairs <= MOST_PAIRS, pairs + " metadata pairs; at most " + MOST_PAIRS + " are allowed");
        var metadata = new HashMap<String, Object>();
        for (long i = 0; i < pairs; i++) {
            String key = string();
            Object value = value((int) number(Integer.BYTES));
            check(metadata.put(key, value) == null, "key '" + key + "' appears twice");
        }
        return metadata;
    }

    private Object value(int type) throws IOException {
        check(type >= 0 && type < WIDTH.length, "value type " + type + " is unknown");
        return type == ARRAY ? array() : scalar(type);
    }

    private Object scalar(int type) throws IOException {
        return switch (type) {
            case STRING -> string();
            case FLOAT32 -> (double) Float.intBitsToFloat((int) number(Float.BYTES));
            case FLOAT64 -> Double.longBitsToDouble(number(Double.BYTES));
            default -> number(WIDTH[type]);
        };
    }

    private List<Object> array() throws IOException {
        int type = (int) number(Integer.BYTES);
        check(type >= 0 && type < WIDTH.length && type != ARRAY, "array of type " + type + " cannot be read");
        long length = number(Long.BYTES);
        check(
                length >= 0 && length <= BytePairVocabulary.MOST_MERGES,
                "array of " + length + " values; at most " + BytePairVocabulary.MOST_MERGES + " are allowed");
        var values = new ArrayList<>();
        for (long i = 0; i < length; i++) {
            values.add(scalar(type));
        }
        return values;
    }

    private String string() throws IOException {
        long length = number(Long.BYTES);
        check(
                length >= 0 && length <= LONGEST_STRING,
                "string of " + length + " bytes; at most " + LONGEST_STRING + " are allowed");
        return new String(bytes((int) length), StandardCharsets.UTF_8);
    }

    private long number(int width) throws IOException {
        Arrays.fill(scratch, (byte) 0);
        if (input.readNBytes(scratch, 0, width) < width) {
            throw ended();
        }
        offset += width;
        return ByteBuffer.wrap(scratch).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private byte[] bytes(int length) throws IOException {
        byte[] bytes = input.readNBytes(length);
        if (bytes.length < length) {
            throw ended();
        }
        offset += length;
        return bytes;
    }

    private MalformedTokenizerException ended() {
        return new MalformedTokenizerException(
                where, new EOFException("the file ends within its metadata, behind byte " + offset));
    }

    private void check(boolean condition, String rule) throws MalformedTokenizerException {
        if (!condition) {
            throw new MalformedTokenizerException(where, rule + " (before byte " + offset + ")");
        }
    }
}
