package ai.epitome.cli.compress;

import ai.epitome.cli.compress.ArchiveFiles.Places;
import ai.epitome.cli.option.Numbers;
import ai.epitome.compress.archive.Codings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Options that `compress` and `decompress` share; those of xz mean what they mean there.
final class ArchiveOptions {
    @Parameters(
            arity = "0..*",
            paramLabel = "FILE",
            description = "Files; - or nothing: standard input to standard output.")
    private List<String> files = List.of();

    @Option(
            names = {"-t", "--test"},
            description = "Read archives and check them; write nothing.")
    private boolean test;

    @Option(
            names = {"-l", "--list"},
            description = "Say what archives hold: sizes and method, with -v also hashes. Blocks are not checked.")
    private boolean list;

    @Option(names = "--json", description = "With --list: one JSON object for each archive, on a line of its own.")
    private boolean json;

    @Option(
            names = {"-k", "--keep"},
            description = "Keep the files that were read.")
    private boolean keep;

    @Option(
            names = {"-c", "--stdout"},
            description = "Write to standard output, and keep the files that were read.")
    private boolean standardOutput;

    @Option(
            names = {"-f", "--force"},
            description = "Replace files that are there, follow symbolic links, write archives to a terminal.")
    private boolean force;

    @Option(
            names = {"-v", "--verbose"},
            description = "A line of sizes and time for each file.")
    private boolean verbose;

    @Option(
            names = {"-q", "--quiet"},
            description = "No warnings and no progress; twice: no errors either. Exit codes stay.")
    private boolean[] quiet = {};

    @Option(
            names = "--recover",
            description = "Decompress what is whole in a damaged archive, and say what is lost. The archive is kept.")
    private boolean recover;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            description =
                    "Trained model, a folder or a file, that predicts the bytes. Its weights are not in the archive: who"
                            + " reads it needs the same ones.")
    private Path model;

    @Option(
            names = {"-T", "--threads"},
            paramLabel = "N",
            description = "Threads, for models and for blocks that are coded on their own (default: all"
                    + " ${DEFAULT-VALUE} processors).",
            converter = Numbers.Count.class)
    private int threads = Runtime.getRuntime().availableProcessors();

    /// What is to be done where it is not said otherwise, and what is said otherwise.
    enum Mode {
        COMPRESS,
        DECOMPRESS,
        TEST,
        LIST,
        RECOVER
    }

    /// @param usual where no option asks for another
    Mode mode(Mode usual) {
        if ((test ? 1 : 0) + (list ? 1 : 0) + (recover ? 1 : 0) > 1) {
            throw new IllegalArgumentException("--test, --list and --recover are three things to do: choose one");
        }
        return test ? Mode.TEST : list ? Mode.LIST : recover ? Mode.RECOVER : usual;
    }

    List<String> files() {
        return files.isEmpty() ? List.of(ArchiveFiles.STANDARD) : files;
    }

    Places places() {
        return new Places(standardOutput, force, keep);
    }

    Optional<Path> model() {
        return Optional.ofNullable(model);
    }

    /// What codes the files of this command; close it when they are done.
    Codings codings() throws IOException {
        return new Codings(model(), threads);
    }

    boolean json() {
        return json;
    }

    boolean verbose() {
        return verbose;
    }

    boolean showsWarnings() {
        return quiet.length == 0;
    }

    boolean showsErrors() {
        return quiet.length < 2;
    }

    int threads() {
        return threads;
    }
}
