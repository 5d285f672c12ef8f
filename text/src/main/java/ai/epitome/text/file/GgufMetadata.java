package ai.epitome.text.file;

import ai.epitome.text.MalformedTokenizerException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The metadata at the start of a GGUF file:
///
/// ```
/// "GGUF"  version u32 (2, 3)  tensors u64  pairs u64      little-endian
/// pairs x { key string, type u32, value }                 string: length u64, UTF-8 bytes
///                                                         array:  type u32, length u64, values
/// ```
///
/// Nothing is allocated by a length that the file merely claims, and all arrays together have at most
/// [#MOST_VALUES] values, so a false length ends as a clear error.
///
/// Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
///
/// @param tensors tensors that the file says it has; it may be wrong
/// @param values by key, in the file's order: [String], [Long], [Double], [Boolean], and lists of those
/// @param end offset of what follows
public record GgufMetadata(long tensors, Map<String, Object> values, long end) {
    /// The first bytes of a GGUF file.
    private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};

    /// All values of all arrays. The largest vocabularies have some 300,000 tokens with as many scores, types and
    /// merges.
    static final int MOST_VALUES = 1 << 23;

    private static final int MOST_PAIRS = 1 << 16;
    private static final int LONGEST_STRING = 1 << 24;
    private static final int BOOLEAN = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final int FLOAT32 = 6;
    private static final int FLOAT64 = 12;
    /// Bytes of a value of each type, 0 for strings and arrays, in the order of the format's type numbers: u8, i8,
    /// u16, i16, u32, i32, f32, bool, string, array, u64, i64, f64.
    private static final int[] WIDTH = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    /// Whether a file that begins with these bytes is GGUF.
    public static boolean isMagic(byte[] start) {
        return start.length >= MAGIC.length && Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /// Reads it from the beginning of a file.
    ///
    /// @param where the file, for error messages
    /// @throws MalformedTokenizerException if the file breaks the format's rules
    public static GgufMetadata read(InputStream input, String where) throws IOException {
        return new Reader(input, where).read();
    }

    private static final class Reader {
        private final InputStream input;
        private final String where;
        private final byte[] scratch = new byte[Long.BYTES];
        private long offset;
        private long valuesLeft = MOST_VALUES;

        Reader(InputStream input, String where) {
            this.input = input;
            this.where = where;
        }

        GgufMetadata read() throws IOException {
            check(isMagic(bytes(MAGIC.length)), "no GGUF file");
            long version = number(Integer.BYTES);
            check(version == 2 || version == 3, "GGUF version " + version + "; only 2 and 3 are known");
            long tensors = number(Long.BYTES);
            long pairs = number(Long.BYTES);
            check(pairs >= 0 && pairs <= MOST_PAIRS, pairs + " metadata pairs; at most " + MOST_PAIRS + " are allowed");
            var values = new LinkedHashMap<String, Object>();
            for (long i = 0; i < pairs; i++) {
                String key = string();
                Object value = value(type());
                check(values.put(key, value) == null, "key '" + key + "' appears twice");
            }
            return new GgufMetadata(tensors, Collections.unmodifiableMap(values), offset);
        }

        private int type() throws IOException {
            long type = number(Integer.BYTES);
            check(type < WIDTH.length, "value type " + type + " is unknown");
            return (int) type;
        }

        private Object value(int type) throws IOException {
            return switch (type) {
                case ARRAY -> array();
                case STRING -> string();
                case FLOAT32 -> (double) Float.intBitsToFloat((int) number(Float.BYTES));
                case FLOAT64 -> Double.longBitsToDouble(number(Double.BYTES));
                case BOOLEAN -> number(1) != 0;
                default -> integer(type);
            };
        }

        /// Signed types have odd numbers, up to 64 bits, where a u64 beyond 2^63 is kept as a negative number.
        private long integer(int type) throws IOException {
            int width = WIDTH[type];
            long value = number(width);
            boolean signed = type == 1 || type == 3 || type == 5;
            int unused = Long.SIZE - Byte.SIZE * width;
            return signed ? value << unused >> unused : value;
        }

        private List<Object> array() throws IOException {
            int type = type();
            check(type != ARRAY, "an array of arrays cannot be read");
            long length = number(Long.BYTES);
            check(
                    length >= 0 && length <= valuesLeft,
                    "array of " + Long.toUnsignedString(length) + " values; at most " + MOST_VALUES
                            + " are allowed in all arrays");
            valuesLeft -= length;
            var values = new ArrayList<>();
            for (long i = 0; i < length; i++) {
                values.add(value(type));
            }
            return Collections.unmodifiableList(values);
        }

        private String string() throws IOException {
            long length = number(Long.BYTES);
            check(
                    length >= 0 && length <= LONGEST_STRING,
                    "string of " + Long.toUnsignedString(length) + " bytes; at most " + LONGEST_STRING
                            + " are allowed");
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
}
