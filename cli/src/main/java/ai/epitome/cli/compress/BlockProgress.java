package ai.epitome.cli.compress;

import ai.epitome.cli.terminal.StatusLine;
import ai.epitome.compress.Progress;
import java.util.Locale;
import java.util.OptionalLong;

/// A line that says how far a file has come, where standard error is a terminal.
final class BlockProgress implements Progress, AutoCloseable {
    private static final long REFRESH_NANOS = 100_000_000;

    private final StatusLine out;
    private final String title;
    private final boolean compresses;
    private final OptionalLong total;
    private final long began = System.nanoTime();
    private long shown = began - REFRESH_NANOS;

    /// @param compresses whether `total` counts plain bytes; otherwise those of the archive
    BlockProgress(StatusLine out, String title, boolean compresses, OptionalLong total) {
        this.out = out;
        this.title = title;
        this.compresses = compresses;
        this.total = total;
    }

    @Override
    public void at(long plain, long archive) {
        long now = System.nanoTime();
        if (now - shown < REFRESH_NANOS) {
            return;
        }
        shown = now;
        double seconds = (now - began) / 1e9;
        long done = compresses ? plain : archive;
        String left = "";
        if (total.isPresent() && done > 0) {
            double share = Math.min(1, done / (double) Math.max(1, total.getAsLong()));
            left = String.format(
                    Locale.ROOT, "%3.0f%%  %s left  ", Math.floor(100 * share), time(seconds / share - seconds));
        }
        out.show(String.format(
                Locale.ROOT,
                "%s%,d -> %,d bytes  %.3f bits/byte  %,.0f bytes/s  %s",
                left,
                compresses ? plain : archive,
                compresses ? archive : plain,
                8.0 * archive / Math.max(1, plain),
                plain / Math.max(1e-9, seconds),
                title));
    }

    private static String time(double seconds) {
        long whole = Math.round(seconds);
        return whole >= 3600
                ? "%d:%02d:%02d".formatted(whole / 3600, whole / 60 % 60, whole % 60)
                : "%d:%02d".formatted(whole / 60, whole % 60);
    }

    double seconds() {
        return (System.nanoTime() - began) / 1e9;
    }

    /// Takes the line away.
    @Override
    public void close() {
        out.show("");
    }
}
