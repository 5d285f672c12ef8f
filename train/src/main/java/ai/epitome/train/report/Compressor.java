package ai.epitome.train.report;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/// The usual compressors, each at its strongest usual setting.
enum Compressor {
    GZIP("gzip -9"),
    BZIP2("bzip2 -9"),
    XZ("xz -9e"),
    ZSTD("zstd -19");

    private final String title;

    Compressor(String title) {
        this.title = title;
    }

    /// The command that it stands for.
    String title() {
        return title;
    }

    /// Bytes that the text takes when compressed.
    long size(byte[] text) throws IOException {
        CountingOutput packed = new CountingOutput();
        try (OutputStream out = switch (this) {
            case GZIP -> new StrongestGzip(packed);
            case BZIP2 -> new BZip2CompressorOutputStream(packed, BZip2CompressorOutputStream.MAX_BLOCKSIZE);
            case XZ -> new XZOutputStream(packed, extreme(text.length));
            case ZSTD -> packed;
        }) {
            out.write(this == ZSTD ? Zstd.compress(text, 19) : text);
        }
        return packed.count;
    }

    /// What liblzma calls `9 | LZMA_PRESET_EXTREME`.
    private static LZMA2Options extreme(int size) throws IOException {
        LZMA2Options options = new LZMA2Options(9);
        options.setNiceLen(273);
        options.setDepthLimit(512);
        // A dictionary beyond the text finds nothing more, and costs ten times its size in memory.
        options.setDictSize(Math.clamp(size, LZMA2Options.DICT_SIZE_MIN, options.getDictSize()));
        return options;
    }

    private static final class StrongestGzip extends GZIPOutputStream {
        StrongestGzip(OutputStream out) throws IOException {
            super(out, 1 << 16);
            def.setLevel(9);
        }
    }

    private static final class CountingOutput extends OutputStream {
        private long count;

        @Override
        public void write(int b) {
            count++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            count += length;
        }
    }
}
