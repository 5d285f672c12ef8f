package ai.epitome.cli;

import ai.epitome.cli.ArchiveOptions.Mode;
import ai.epitome.compress.Coding;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import ai.epitome.compress.archive.Codings;
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
final class CompressCommand implements Callable<Integer>, ArchiveWork.Writing {
    @Option(
            names = {"-d", "--decompress"},
            description = "Decompress, as `epitome decompress` does.")
    private boolean decompress;

    @Option(
            names = "--mix",
            description = "Mix the predictions of many contexts (what is done where nothing else is asked for).")
    private boolean mix;

    @Option(
            names = "--block",
            paramLabel = "SIZE",
            description = "Code blocks of this size on their own (64k, 1M, ...): on all threads, each readable alone,"
                    + " and a damaged one loses nothing else. Otherwise each goes on from the one before, which"
                    + " compresses better.",
            converter = SizeConverter.class)
    private Integer block;

    @Mixin
    private ArchiveOptions options;

    @Override
    public Integer call() {
        ArchiveWork work = new ArchiveWork(options, Codings::of, Optional.of(this));
        return work.run(options.mode(decompress ? Mode.DECOMPRESS : Mode.COMPRESS));
    }

    @Override
    public Coding coding(OptionalLong length) {
        if (block == null) {
            return Codings.mixed(length);
        }
        return Codings.mixed(OptionalLong.of(Math.min(block, length.orElse(block))));
    }

    @Override
    public Layout layout() {
        return block == null ? Layout.inOnePiece() : Layout.independent(block);
    }
}
