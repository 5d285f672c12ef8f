package ai.epitome.train.data;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;

/// The documents of a corpus in order, each marked as training or held-out text by a [HeldOut] rule.
/// Documents that may be on neither side (early copies of held-out ones) are left out.
public final class SplitReader implements AutoCloseable {

    /// A document, or the part of one on one side of the cut.
    ///
    /// @param text its bytes
    /// @param heldOut whether it is kept out of training
    public record Piece(byte[] text, boolean heldOut) {}

    private final DocumentReader reader;
    private final HeldOut rule;
    private final Set<String> heldOutHashes;
    private long position;
    private Piece pending;

    SplitReader(DocumentReader reader, HeldOut rule, Set<String> heldOutHashes) {
        this.reader = reader;
        this.rule = rule;
        this.heldOutHashes = heldOutHashes;
    }

    /// The next piece, or null after the last.
    public Piece next() throws IOException {
        if (pending != null) {
            Piece second = pending;
            pending = null;
            return second;
        }
        for (Document document = reader.next(); document != null; document = reader.next()) {
            Piece piece = switch (rule) {
                case HeldOut.ByHash byHash -> new Piece(document.text(), byHash.holdsOut(document));
                case HeldOut.LastBytes last -> byPosition(document, last.cut());
            };
            if (piece != null) {
                return piece;
            }
        }
        return null;
    }

    private Piece byPosition(Document document, long cut) {
        byte[] text = document.text();
        long start = position;
        position += text.length;
        if (start >= cut) {
            return new Piece(text, true);
        }
        if (position > cut) {
            int inside = (int) (cut - start);
            pending = new Piece(Arrays.copyOfRange(text, inside, text.length), true);
            return new Piece(Arrays.copyOf(text, inside), false);
        }
        boolean copyOfHeldOut = heldOutHashes.contains(HexFormat.of().formatHex(document.sha256()));
        return copyOfHeldOut ? null : new Piece(text, false);
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
