package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.Method;
import ai.epitome.compress.Method.Numerics;
import ai.epitome.compress.ModelHashes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/// What an archive says before its blocks. Integers are little-endian:
///
/// ```
///  0    8  magic: 89 45 50 49 0D 0A 1A 0A ("EPI", and line ends that a transfer as text would change)
///  8    1  version of the format
///  9    2  length of this header
/// 11    1  method: 1 mixed, 2 learning, 4 pretrained, added; 0 stored
/// 12    1  numerics: 0 none, 1 integers, 2 exact
/// 13    1  0 each block is coded on its own, 1 solid: each goes on from the one before
/// 14    4  block size; all blocks but the last have it
/// 18    8  length of what was compressed, -1 where it was not known in advance
/// 26    1  length of the probe hash: 0 where nothing is predicted, otherwise 8 to 32
/// 27       probe hash
///       1  length of the method's settings
///          settings
///      32  SHA-256 of the model, when pretrained
///      32  SHA-256 of its tokenizer, when pretrained
///       4  CRC-32C of all bytes before
/// ```
///
/// Magic, version, length and checksum stay where they are in later versions.
///
/// @param solid whether blocks go on from those before
/// @param originalLength of what was compressed, where it was known
public record ArchiveHeader(Method method, boolean solid, int blockSize, OptionalLong originalLength, byte[] probe) {
    /// Blocks are coded in memory.
    public static final int MAX_BLOCK_SIZE = 1 << 26;

    static final int VERSION = 1;

    private static final byte[] MAGIC = HexFormat.of().parseHex("894550490d0a1a0a");
    private static final int BEGIN = 11; // magic, version, length
    private static final int FIXED = 28 + Integer.BYTES; // without probe, settings and hashes
    private static final int MIN_PROBE = 8;
    private static final int MAX_PROBE = 32;
    private static final int MIXED = 1;
    private static final int LEARNING = 2;
    private static final int PRETRAINED = 4;
    private static final HexFormat HEX = HexFormat.of();

    /// The header of what `coding` will code.
    static ArchiveHeader of(Coding coding, boolean solid, int blockSize, OptionalLong originalLength) {
        if (blockSize < 1 || blockSize > MAX_BLOCK_SIZE) {
            throw new IllegalArgumentException(
                    "a block of %,d bytes: expected 1 to %,d".formatted(blockSize, MAX_BLOCK_SIZE));
        }
        Method method = coding.method();
        byte[] probe = coding.probe();
        if (!isProbe(probe.length, method.numerics()) || method.settings().length > Method.MAX_SETTINGS) {
            throw new IllegalArgumentException("a probe hash of %d bytes and settings of %d do not fit"
                    .formatted(probe.length, method.settings().length));
        }
        return new ArchiveHeader(method, solid, blockSize, originalLength, probe);
    }

    private static boolean isProbe(int length, Numerics numerics) {
        return numerics == Numerics.NONE ? length == 0 : length >= MIN_PROBE && length <= MAX_PROBE;
    }

    byte[] write() {
        int hashes = method.model().isPresent() ? 2 * 32 : 0;
        int length = FIXED + probe.length + method.settings().length + hashes;
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(MAGIC).put((byte) VERSION).putShort((short) length);
        buffer.put((byte) flags(method)).put((byte) method.numerics().ordinal());
        buffer.put((byte) (solid ? 1 : 0)).putInt(blockSize).putLong(originalLength.orElse(-1));
        buffer.put((byte) probe.length).put(probe);
        buffer.put((byte) method.settings().length).put(method.settings());
        method.model().ifPresent(model -> {
            buffer.put(HEX.parseHex(model.model()));
            buffer.put(HEX.parseHex(model.tokenizer()));
        });
        return buffer.putInt(Checksum.of(buffer.array(), length - Integer.BYTES))
                .array();
    }

    private static int flags(Method method) {
        return (method.mixed() ? MIXED : 0)
                | (method.learning() ? LEARNING : 0)
                | (method.model().isPresent() ? PRETRAINED : 0);
    }

    /// Refuses a coding that would decode wrongly.
    ///
    /// @throws ArchiveException `MODEL_MISMATCH` where it has another model than the one that wrote this,
    ///     `NUMERICS_MISMATCH` where it predicts otherwise all the same
    void requireSame(Coding coding) throws ArchiveException {
        requireSameModel(coding.method().model());
        byte[] found = coding.probe();
        if (coding.method().numerics() != method.numerics() || !Arrays.equals(found, probe)) {
            throw new ArchiveException(
                    Reason.NUMERICS_MISMATCH,
                    ("the probe hash is %s here (%s) and %s in the archive (%s): this machine or version of Epitome"
                                    + " predicts otherwise than the one that compressed")
                            .formatted(
                                    HEX.formatHex(found),
                                    coding.method().numerics(),
                                    HEX.formatHex(probe),
                                    method.numerics()));
        }
    }

    /// @param found the model at hand, if there is one
    /// @throws ArchiveException `MODEL_MISMATCH` where the archive asks for another
    public void requireSameModel(Optional<ModelHashes> found) throws ArchiveException {
        if (method.model().isEmpty() || method.model().equals(found)) {
            return; // a model that nobody asked for does no harm
        }
        ModelHashes asked = method.model().get();
        String message = found.isEmpty()
                ? "it was compressed with a model, SHA-256 %s: give its folder with -m".formatted(asked.model())
                : asked.model().equals(found.get().model())
                        ? "the tokenizer beside the model has SHA-256 %s, the one that compressed had %s"
                                .formatted(found.get().tokenizer(), asked.tokenizer())
                        : "the model has SHA-256 %s, the one that compressed had %s"
                                .formatted(found.get().model(), asked.model());
        throw new ArchiveException(Reason.MODEL_MISMATCH, message);
    }

    /// What blocks of this archive begin their checksums with.
    int checksum() {
        byte[] bytes = write();
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(bytes.length - Integer.BYTES);
    }

    static ArchiveHeader read(Source source) throws IOException {
        byte[] begin = source.atMost(BEGIN);
        int common = Math.min(begin.length, MAGIC.length);
        if (!Arrays.equals(begin, 0, common, MAGIC, 0, common)) {
            throw new ArchiveException(Reason.NOT_AN_ARCHIVE, "it does not begin as an Epitome archive does");
        }
        if (begin.length < BEGIN) {
            throw new ArchiveException(
                    Reason.TRUNCATED, "the archive ends after %d bytes, inside its header".formatted(begin.length));
        }
        int length = ByteBuffer.wrap(begin).order(ByteOrder.LITTLE_ENDIAN).getShort(9) & 0xffff;
        if (length < BEGIN + Integer.BYTES) {
            throw corrupt("has %d bytes, too few".formatted(length));
        }
        byte[] rest = source.exactly(length - BEGIN, "its header");
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(begin).put(rest);
        int expected = buffer.getInt(length - Integer.BYTES);
        int found = Checksum.of(buffer.array(), length - Integer.BYTES);
        if (expected != found) {
            throw corrupt("has checksum %08x, it says %08x".formatted(found, expected));
        }
        if (begin[8] != VERSION) {
            throw new ArchiveException(
                    Reason.UNSUPPORTED_VERSION,
                    "version %d of the format; this Epitome reads version %d".formatted(begin[8] & 0xff, VERSION));
        }
        return parse(buffer.position(BEGIN).limit(length - Integer.BYTES));
    }

    /// The checksum holds: what is wrong from here on was written so.
    private static ArchiveHeader parse(ByteBuffer buffer) throws ArchiveException {
        if (buffer.remaining() < FIXED - BEGIN - Integer.BYTES) {
            throw corrupt("is too short");
        }
        int flags = buffer.get() & 0xff;
        int numerics = buffer.get() & 0xff;
        int chaining = buffer.get() & 0xff;
        if (flags >= 2 * PRETRAINED || numerics >= Numerics.values().length || chaining > 1) {
            throw new ArchiveException(
                    Reason.UNSUPPORTED_VERSION,
                    "method %d, numerics %d, chaining %d: a later Epitome may know them"
                            .formatted(flags, numerics, chaining));
        }
        int blockSize = buffer.getInt();
        if (blockSize < 1 || blockSize > MAX_BLOCK_SIZE) {
            throw corrupt("says blocks of %d bytes, expected 1 to %,d".formatted(blockSize, MAX_BLOCK_SIZE));
        }
        long length = buffer.getLong();
        if (length < -1) {
            throw corrupt("says a length of %d".formatted(length));
        }
        byte[] probe = part(buffer);
        if (!isProbe(probe.length, Numerics.values()[numerics])) {
            throw corrupt("has a probe hash of %d bytes".formatted(probe.length));
        }
        byte[] settings = part(buffer);
        Optional<ModelHashes> model = (flags & PRETRAINED) == 0 ? Optional.empty() : Optional.of(hashes(buffer));
        if (buffer.hasRemaining()) {
            throw corrupt("has %d bytes too many".formatted(buffer.remaining()));
        }
        Method method =
                new Method((flags & MIXED) != 0, (flags & LEARNING) != 0, model, Numerics.values()[numerics], settings);
        OptionalLong original = length < 0 ? OptionalLong.empty() : OptionalLong.of(length);
        return new ArchiveHeader(method, chaining == 1, blockSize, original, probe);
    }

    private static byte[] part(ByteBuffer buffer) throws ArchiveException {
        return bytes(buffer, buffer.hasRemaining() ? buffer.get() & 0xff : 1);
    }

    private static ModelHashes hashes(ByteBuffer buffer) throws ArchiveException {
        return new ModelHashes(HEX.formatHex(bytes(buffer, 32)), HEX.formatHex(bytes(buffer, 32)));
    }

    private static byte[] bytes(ByteBuffer buffer, int length) throws ArchiveException {
        if (buffer.remaining() < length) {
            throw corrupt("has a part of %d bytes and %d are left".formatted(length, buffer.remaining()));
        }
        byte[] bytes = new byte[length];
        buffer.get(bytes);
        return bytes;
    }

    private static ArchiveException corrupt(String what) {
        return new ArchiveException(Reason.CORRUPT, "the header " + what);
    }
}
