package ai.epitome.train.data;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.tukaani.xz.XZInputStream;

/// What the name of a file says about its contents: `NAME[.jsonl][.gz|.zst|.xz|.bz2]`.
final class FileFormat {
    private static final int BUFFER = 1 << 16;
    /// Memory that unpacking may take, which an .xz file asks for; its largest usual setting takes 65 MiB.
    private static final int XZ_KIBIBYTES = 256 << 10;

    private FileFormat() {}

    /// The unpacked contents. Several packed streams one after another are read as one, as the command-line tools do.
    static InputStream unpack(String name, InputStream raw) throws IOException {
        return switch (packingOf(name)) {
            case "gzip" -> new GZIPInputStream(raw, BUFFER);
            case "zstd" -> new BufferedInputStream(new ZstdInputStream(raw), BUFFER);
            case "xz" -> new BufferedInputStream(new XZInputStream(raw, XZ_KIBIBYTES), BUFFER);
            case "bzip2" -> new BufferedInputStream(new BZip2CompressorInputStream(raw, true), BUFFER);
            default -> raw;
        };
    }

    /// `gzip`, `zstd`, `xz`, `bzip2`, or `` for a file that is not packed.
    static String packingOf(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return switch (lower.substring(lower.lastIndexOf('.') + 1)) {
            case "gz" -> "gzip";
            case "zst" -> "zstd";
            case "xz" -> "xz";
            case "bz2" -> "bzip2";
            default -> "";
        };
    }

    static boolean isPacked(String name) {
        return !packingOf(name).isEmpty();
    }

    static boolean isJsonLines(String name) {
        String inner = isPacked(name) ? name.substring(0, name.lastIndexOf('.')) : name;
        String lower = inner.toLowerCase(Locale.ROOT);
        return lower.endsWith(".jsonl") || lower.endsWith(".ndjson");
    }
}
