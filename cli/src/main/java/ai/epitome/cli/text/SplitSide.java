package ai.epitome.cli.text;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.WholeFile;
import ai.epitome.compress.ModelHashes;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.HeldOut;
import ai.epitome.train.data.SplitReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// One side of a split, its documents one after another with nothing between them.
///
/// @param file where it was written
/// @param documents how many there are; one that was cut counts on both sides
/// @param sha256 of all its bytes, in hexadecimal
record SplitSide(Optional<Path> file, long documents, long bytes, String sha256) {
    /// Reads the corpus once, and writes this side to `file`, whole or not at all.
    static SplitSide of(Corpus corpus, HeldOut rule, boolean heldOut, Optional<Path> file) throws IOException {
        if (file.isEmpty()) {
            return copy(corpus, rule, heldOut, file, OutputStream.nullOutputStream());
        }
        SplitSide[] side = new SplitSide[1];
        WholeFile.write(file.get(), out -> side[0] = copy(corpus, rule, heldOut, file, out));
        return side[0];
    }

    private static SplitSide copy(Corpus corpus, HeldOut rule, boolean heldOut, Optional<Path> file, OutputStream to)
            throws IOException {
        MessageDigest digest = ModelHashes.sha256();
        DigestOutputStream out = new DigestOutputStream(to, digest);
        long documents = 0;
        long bytes = 0;
        try (SplitReader reader = rule.open(corpus)) {
            for (SplitReader.Piece piece = reader.next(); piece != null; piece = reader.next()) {
                if (piece.heldOut() == heldOut) {
                    documents++;
                    bytes += piece.text().length;
                    out.write(piece.text());
                }
            }
        }
        out.flush();
        return new SplitSide(file, documents, bytes, HexFormat.of().formatHex(digest.digest()));
    }

    /// `{"documents": ..., "bytes": ..., "sha256": ..., "file": ...}`
    ObjectNode toJson() {
        ObjectNode json = Json.MAPPER
                .createObjectNode()
                .put("documents", documents)
                .put("bytes", bytes)
                .put("sha256", sha256);
        file.ifPresent(path -> json.put("file", path.toString()));
        return json;
    }
}
