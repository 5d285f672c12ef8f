package ai.epitome.text.file;

import ai.epitome.text.MalformedTokenizerException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// The fields of one Protocol Buffers message, one after another:
///
/// ```
/// field  varint: number << 3 | kind
/// value  by kind: 0 varint, 1 8 bytes, 2 length varint and bytes, 5 4 bytes
/// ```
///
/// The message is untrusted: no value reaches beyond its end. A field's value has to be read or skipped before the
/// next field.
///
/// Format: <https://protobuf.dev/programming-guides/encoding>.
final class ProtobufReader {
    private static final int VARINT = 0;
    private static final int EIGHT_BYTES = 1;
    private static final int BYTES = 2;
    private static final int FOUR_BYTES = 5;

    private final ByteBuffer bytes;
    private final String where;
    private final int base;
    private int number;
    private int kind;

    ProtobufReader(byte[] message, String where) {
        this(ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN), 0, where);
    }

    /// @param base offset of the message within the file, for error messages
    private ProtobufReader(ByteBuffer bytes, int base, String where) {
        this.bytes = bytes;
        this.base = base;
        this.where = where;
    }

    /// Moves to the next field; false at the end.
    boolean next() throws MalformedTokenizerException {
        if (!bytes.hasRemaining()) {
            return false;
        }
        long key = anyVarint();
        require(key > 0 && key >>> 3 > 0 && key >>> 3 < 1 << 29, "a field has the key " + key);
        number = (int) (key >>> 3);
        kind = (int) (key & 7);
        return true;
    }

    /// The number of the field.
    int number() {
        return number;
    }

    long varint() throws MalformedTokenizerException {
        requireKind(VARINT);
        return anyVarint();
    }

    float fourBytes() throws MalformedTokenizerException {
        requireKind(FOUR_BYTES);
        requireLeft(Float.BYTES);
        return bytes.getFloat();
    }

    String text() throws MalformedTokenizerException {
        return StandardCharsets.UTF_8.decode(slice()).toString();
    }

    /// The field's value as a message of its own.
    ProtobufReader message() throws MalformedTokenizerException {
        ByteBuffer slice = slice();
        return new ProtobufReader(slice, base + bytes.position() - slice.remaining(), where);
    }

    void skip() throws MalformedTokenizerException {
        switch (kind) {
            case VARINT -> anyVarint();
            case EIGHT_BYTES -> skip(Long.BYTES);
            case BYTES -> slice();
            case FOUR_BYTES -> skip(Float.BYTES);
            default -> throw malformed("field " + number + " is of kind " + kind + ", which is not known");
        }
    }

    private void skip(int length) throws MalformedTokenizerException {
        requireLeft(length);
        bytes.position(bytes.position() + length);
    }

    private ByteBuffer slice() throws MalformedTokenizerException {
        requireKind(BYTES);
        long length = anyVarint();
        require(
                length >= 0 && length <= bytes.remaining(),
                "field " + number + " has " + Long.toUnsignedString(length) + " bytes, of which " + bytes.remaining()
                        + " are there");
        ByteBuffer slice = bytes.slice(bytes.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(bytes.position() + (int) length);
        return slice;
    }

    private long anyVarint() throws MalformedTokenizerException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            requireLeft(1);
            byte part = bytes.get();
            value |= (part & 0x7FL) << shift;
            if (part >= 0) {
                return value;
            }
        }
        throw malformed("a number of more than 64 bits");
    }

    private void requireKind(int expected) throws MalformedTokenizerException {
        require(kind == expected, "field " + number + " is of kind " + kind + ", expected " + expected);
    }

    private void requireLeft(int length) throws MalformedTokenizerException {
        require(bytes.remaining() >= length, "the message ends within a field");
    }

    private void require(boolean condition, String rule) throws MalformedTokenizerException {
        if (!condition) {
            throw malformed(rule);
        }
    }

    private MalformedTokenizerException malformed(String rule) {
        return new MalformedTokenizerException(where, rule + " (before byte " + (base + bytes.position()) + ")");
    }
}
