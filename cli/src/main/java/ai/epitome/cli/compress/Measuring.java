package ai.epitome.cli.compress;

import ai.epitome.cli.compress.Measurement.Line;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.StatusLine;
import ai.epitome.cli.terminal.Terminal;
import ai.epitome.compress.Coding;
import ai.epitome.compress.DescriptionLength;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.archive.ArchiveWriter;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import ai.epitome.compress.archive.Codings;
import ai.epitome.train.report.Baselines;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Compresses files in several ways, in memory.
///
/// @param codings with the model
/// @param modelBytes what a reader needs besides
/// @param block size in which the model codes
record Measuring(Codings codings, long modelBytes, int block, int threads) {
    private static final String MIXED = "epitome --mix";

    /// The last bytes of a training text, as many as compressors are given.
    byte[] endOf(Path training) throws IOException {
        StandardText.requireFile(training);
        try (RandomAccessFile file = new RandomAccessFile(training.toFile(), "r")) {
            byte[] end = new byte[(int) Math.min(Baselines.MOST_BYTES, file.length())];
            file.seek(file.length() - end.length);
            file.readFully(end);
            return end;
        }
    }

    /// @param before training text that compressors may have read; none where it is empty
    Measurement of(Path file, byte[] before) throws IOException {
        byte[] content = StandardText.readBytes(file);
        if (content.length == 0) {
            throw new IOException("%s is empty: there is nothing to measure".formatted(file));
        }
        long payload = archive(file.toString(), codings.pretrained(), Layout.independent(block), content);
        Coding mixing = codings.mixed(OptionalLong.of(content.length));
        List<Line> others = new ArrayList<>();
        others.add(new Line(MIXED, alone(content, archive(MIXED, mixing, Layout.inOnePiece(), content)), none()));
        for (Baselines.Line line : Baselines.measure(before, content, threads)) {
            OptionalLong given = before.length == 0 ? none() : OptionalLong.of(line.givenTrainingBytes());
            others.add(new Line(line.name(), alone(content, line.aloneBytes()), given));
        }
        String sha256 = HexFormat.of().formatHex(ModelHashes.sha256().digest(content));
        DescriptionLength model = new DescriptionLength(content.length, payload, modelBytes);
        return new Measurement(ArchiveFiles.title(file.toString()), Optional.of(sha256), model, others);
    }

    private static OptionalLong none() {
        return OptionalLong.empty();
    }

    private static DescriptionLength alone(byte[] content, long payload) {
        return new DescriptionLength(content.length, payload, 0);
    }

    /// Bytes of the whole archive.
    private long archive(String title, Coding coding, Layout layout, byte[] content) throws IOException {
        OptionalLong length = OptionalLong.of(content.length);
        StatusLine status = new StatusLine(System.err, Terminal.errorIsOne());
        try (BlockProgress progress = new BlockProgress(status, title, true, length)) {
            return new ArchiveWriter(coding, layout, threads)
                    .write(new ByteArrayInputStream(content), length, OutputStream.nullOutputStream(), progress)
                    .archive();
        }
    }
}
