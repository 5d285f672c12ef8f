package ai.epitome.compress.archive;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.Method;
import ai.epitome.compress.MixedCodec;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.OrderTwoPredictor;
import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;

/// Archives and codings for tests.
final class Archives {
    static final Coding MIXED = new MixedCoding(
            new Method(true, false, Optional.empty(), Method.Numerics.INTEGERS, new byte[] {7}),
            OrderTwoPredictor::new,
            OrderTwoPredictor::new,
            0);
    static final byte[] TEXT = ("To be, or not to be, that is the question:\nWhether 'tis nobler in the mind\n"
                            .repeat(4)
                    + "to suffer")
            .getBytes(StandardCharsets.US_ASCII);

    /// Stands for a trained model: takes some blocks at a time, and refuses more.
    record Grouped(int group, boolean usesThreads, ModelHashes hashes) implements Coding {
        Grouped(int group, boolean usesThreads) {
            this(group, usesThreads, new ModelHashes("ab".repeat(32), "cd".repeat(32)));
        }

        @Override
        public Method method() {
            return new Method(false, false, Optional.of(hashes), Method.Numerics.EXACT, new byte[0]);
        }

        @Override
        public byte[] probe() {
            return new byte[32];
        }

        @Override
        public BlockCodec newCodec() {
            return new MixedCodec(new OrderTwoPredictor());
        }

        @Override
        public byte[][] encode(byte[][] blocks, Progress progress) {
            require(blocks.length);
            return Coding.super.encode(blocks, progress);
        }

        @Override
        public byte[][] decode(byte[][] coded, int[] lengths, Progress progress) {
            require(coded.length);
            return Coding.super.decode(coded, lengths, progress);
        }

        private void require(int blocks) {
            if (blocks < 1 || blocks > group) {
                throw new AssertionError(blocks + " blocks at a time");
            }
        }
    }

    private Archives() {}

    static byte[] noise(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    /// Text, and a stretch in it that cannot be compressed: with small blocks some are stored.
    static byte[] textWithNoise() {
        byte[] bytes = TEXT.clone();
        System.arraycopy(noise(100), 0, bytes, 100, 100);
        return bytes;
    }

    static byte[] archive(byte[] plain, Coding coding, Layout layout, int threads) throws IOException {
        return archive(plain, coding, layout, threads, OptionalLong.of(plain.length));
    }

    static byte[] archive(byte[] plain, Coding coding, Layout layout, int threads, OptionalLong length)
            throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new ArchiveWriter(coding, layout, threads).write(new ByteArrayInputStream(plain), length, out, Progress.NONE);
        return out.toByteArray();
    }

    static byte[] plain(byte[] archive, Coding coding, int threads) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new ArchiveReader(new ByteArrayInputStream(archive)).decode(coding, threads, out, Progress.NONE);
        return out.toByteArray();
    }

    /// What came of a broken archive.
    ///
    /// @param released before it was found to be broken
    record Failure(ArchiveException exception, byte[] released) {
        boolean releasedOnly(byte[] plain) {
            return released.length <= plain.length
                    && Arrays.equals(released, 0, released.length, plain, 0, released.length);
        }
    }

    /// @return null where nothing was noticed
    static Failure failure(byte[] archive, Coding coding, int threads) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            new ArchiveReader(new ByteArrayInputStream(archive)).decode(coding, threads, out, Progress.NONE);
            return null;
        } catch (ArchiveException e) {
            return new Failure(e, out.toByteArray());
        }
    }
}
