package ai.epitome.train.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The fixed rule by which part of a corpus is kept out of training, to measure on.
///
/// The rule follows from the corpus ([#choose]) and is noted in the model's folder. Under either rule a copy of a
/// held-out document is never trained on.
public sealed interface HeldOut {
    /// A corpus of fewer documents is split by position, not by document hash.
    int FEW_DOCUMENTS = 100;

    /// Part of the documents that [#choose] holds out by hash where there are many.
    double DEFAULT_FRACTION = 0.01;

    /// Part of the bytes that [#choose] holds out where there are few documents.
    double DEFAULT_LAST = 0.1;

    /// Holds out the documents whose SHA-256 begins low: its first 8 bytes, as an unsigned fraction of 2^64, are below
    /// `fraction`. The side of a document depends on its text alone, so it survives reordering and growth of the
    /// corpus, and equal documents are on the same side.
    ///
    /// @param fraction expected part of the documents, above 0 and below 1
    record ByHash(double fraction) implements HeldOut {
        public ByHash {
            requireFraction(fraction);
        }

        /// Whether this document is held out.
        public boolean holdsOut(Document document) {
            long first = ByteBuffer.wrap(document.sha256()).getLong();
            // 53 bits: exact in a double.
            return (first >>> 11) * 0x1p-53 < fraction;
        }

        @Override
        public String description() {
            return format("%s %% of the documents, chosen by the SHA-256 of their text", percent(fraction));
        }
    }

    /// Holds out the last bytes of the corpus: training sees the first `int((1 - fraction) n)` of its n bytes, as in
    /// nanoGPT's `data/shakespeare_char/prepare.py`. A document across the cut is cut there. Earlier copies of a
    /// document that is wholly or partly held out are left out of training.
    ///
    /// @param fraction part of the bytes, above 0 and below 1
    /// @param cut bytes of the corpus before the held-out part
    record LastBytes(double fraction, long cut) implements HeldOut {
        public LastBytes {
            requireFraction(fraction);
            if (cut < 1) {
                throw new IllegalArgumentException(
                        "the text before the held-out part must not be empty, cut is " + cut);
            }
        }

        @Override
        public String description() {
            return format("the last %s %% of the bytes (everything from byte %,d on)", percent(fraction), cut);
        }
    }

    /// One sentence part that says which text is held out.
    String description();

    /// The rule that suits a corpus: by hash from [#FEW_DOCUMENTS] documents on (1 % of them; more where that would be
    /// fewer than ten documents), else the last 10 % of the bytes.
    ///
    /// @throws CorpusException if the text is too short to hold anything out
    static HeldOut choose(Corpus corpus, CorpusSummary summary) throws IOException {
        if (summary.documents() >= FEW_DOCUMENTS) {
            HeldOut byHash = new ByHash(Math.max(DEFAULT_FRACTION, 10.0 / summary.documents()));
            if (splits(corpus, byHash)) {
                return byHash;
            }
        }
        return lastBytes(summary, DEFAULT_LAST);
    }

    /// The rule for the last bytes of a corpus.
    ///
    /// @throws CorpusException if one of the two parts would be empty
    static HeldOut lastBytes(CorpusSummary summary, double fraction) throws CorpusException {
        long cut = (long) ((1 - fraction) * summary.bytes());
        if (cut < 1 || cut >= summary.bytes()) {
            throw new CorpusException(format(
                    "a text of %d bytes is too short to hold out %s %% of it; give more text",
                    summary.bytes(), percent(fraction)));
        }
        return new LastBytes(fraction, cut);
    }

    /// Opens the corpus with every document, or part of one, marked with its side.
    default SplitReader open(Corpus corpus) throws IOException {
        return new SplitReader(
                corpus.open(), this, this instanceof LastBytes last ? hashesFrom(corpus, last.cut) : Set.of());
    }

    /// `{"rule": ..., "fraction": ..., "cut": ..., "description": ...}`
    default ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        switch (this) {
            case ByHash(double fraction) -> json.put("rule", "document_hash").put("fraction", fraction);
            case LastBytes(double fraction, long cut) ->
                json.put("rule", "last_bytes").put("fraction", fraction).put("cut", cut);
        }
        return json.put("description", description());
    }

    private static boolean splits(Corpus corpus, HeldOut rule) throws IOException {
        boolean training = false;
        boolean heldOut = false;
        try (SplitReader reader = rule.open(corpus)) {
            for (SplitReader.Piece piece = reader.next(); piece != null; piece = reader.next()) {
                training |= !piece.heldOut();
                heldOut |= piece.heldOut();
                if (training && heldOut) {
                    return true;
                }
            }
        }
        return false;
    }

    private static Set<String> hashesFrom(Corpus corpus, long cut) throws IOException {
        Set<String> hashes = new HashSet<>();
        long end = 0;
        try (DocumentReader reader = corpus.open()) {
            for (Document document = reader.next(); document != null; document = reader.next()) {
                end += document.text().length;
                if (end > cut) {
                    hashes.add(HexFormat.of().formatHex(document.sha256()));
                }
            }
        }
        return hashes;
    }

    private static void requireFraction(double fraction) {
        if (!(fraction > 0 && fraction < 1)) {
            throw new IllegalArgumentException("the held-out fraction must be above 0 and below 1, is " + fraction);
        }
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    private static String percent(double fraction) {
        String digits = format("%.2f", 100 * fraction);
        return digits.replaceAll("\\.?0+$", "");
    }
}
