package ai.epitome.cli.compress;

import ai.epitome.cli.compress.ArchiveOptions.Mode;
import ai.epitome.cli.compress.ArchiveWork.Choice;
import ai.epitome.cli.compress.ArchiveWork.Writing;
import ai.epitome.cli.option.SizeConverter;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import ai.epitome.compress.archive.Codings;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `epitome compress`: files become archives, and with -d files again.
@Command(
        name = "compress",
        description = {
            "Compress files, each to FILE.epi; any bytes will do.",
            "The file that was read is removed when its archive is whole on the disk. Exit codes: 0 done, 1 something"
                    + " failed, 2 something was skipped or lost."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome compress -k -v book.txt && epitome compress -l book.txt.epi"})
public final class CompressCommand implements Callable<Integer> {
    /// A model begins anew in each, which costs little of so many bytes; many go through it side by side.
    static final int PRETRAINED_BLOCK = 1 << 16;

    @Option(
            names = {"-d", "--decompress"},
            description = "Decompress, as `epitome decompress` does.")
    private boolean decompress;

    @Option(
            names = "--mix",
            description = "Mix the predictions of many contexts: what is done where nothing else is asked for. With"
                    + " --learn or -m the network's predictions are mixed with them.")
    private boolean mix;

    @Option(
            names = "--learn",
            description = "Train a small network on the bytes as they pass and code them by what it predicts. It is not"
                    + " in the archive: who reads it trains the same one.")
    private boolean learn;

    @Option(
            names = "--block",
            paramLabel = "SIZE",
            description = "Code blocks of this size on their own (64k, 1M, ...): on all threads, each readable alone,"
                    + " and a damaged one loses nothing else. With -m alone that is always so, and blocks have 64k"
                    + " where nothing is said; otherwise each goes on from the one before, which compresses better.",
            converter = SizeConverter.class)
    private Integer block;

    @Mixin
    private ArchiveOptions options;

    @Override
    public Integer call() throws IOException {
        if (learn && options.model().isPresent()) {
            throw new IllegalArgumentException("-m and --learn are two networks: choose one");
        }
        Mode mode = options.mode(decompress ? Mode.DECOMPRESS : Mode.COMPRESS);
        try (Codings codings = options.codings()) {
            if (mode == Mode.COMPRESS && options.model().isPresent()) {
                codings.pretrained(); // a model that cannot be read is said once
            }
            return new ArchiveWork(options, codings::of, Optional.of(writing(codings))).run(mode);
        }
    }

    private Writing writing(Codings codings) {
        boolean trained = options.model().isPresent();
        if (trained && !mix) {
            return new Writing(_ -> codings.pretrained(), Layout.independent(block == null ? PRETRAINED_BLOCK : block));
        }
        Choice predicted =
                trained ? codings::pretrainedMixed : learn ? length -> codings.learning(length, mix) : codings::mixed;
        if (block == null) {
            return new Writing(predicted, Layout.inOnePiece());
        }
        return new Writing(
                length -> predicted.of(OptionalLong.of(Math.min(block, length.orElse(block)))),
                Layout.independent(block));
    }
}
