package ai.epitome.cli.compress;

import ai.epitome.cli.terminal.StandardOutput;
import ai.epitome.cli.terminal.Terminal;
import ai.epitome.cli.terminal.Unfinished;
import ai.epitome.model.file.AtomicFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.OptionalLong;

/// Where bytes come from and where they go: files beside each other with and without the suffix `.epi`, or the standard
/// streams. A file is written whole or not at all, and only then the one that was read is removed.
final class ArchiveFiles {
    static final String SUFFIX = ".epi";
    static final String STANDARD = "-";

    private static final int BUFFER = 1 << 16;

    /// @param standardOutput write there, whatever is read
    /// @param force replace what is there, follow links, write to terminals
    /// @param keep what was read
    record Places(boolean standardOutput, boolean force, boolean keep) {}

    /// Turns an input into an output.
    @FunctionalInterface
    interface Conversion {
        /// @param length of `in`, where it is known
        void convert(InputStream in, OptionalLong length, OutputStream out) throws IOException;
    }

    private final Places places;

    ArchiveFiles(Places places) {
        this.places = places;
    }

    /// Opens an archive or a file to be compressed.
    static InputStream open(String name) throws IOException {
        return name.equals(STANDARD) ? System.in : Files.newInputStream(Path.of(name));
    }

    /// What a person calls it.
    static String title(String name) {
        return name.equals(STANDARD) ? "(standard input)" : name;
    }

    void compress(String name, Conversion conversion) throws IOException {
        boolean toStandard = goesToStandard(name);
        if (toStandard && Terminal.outputIsOne() && !places.force) {
            throw new IOException("an archive is not written to a terminal: redirect it (> FILE), or force it with -f");
        }
        if (!toStandard && name.endsWith(SUFFIX)) {
            throw new Warning("it is called %s already: skipped".formatted(SUFFIX));
        }
        convert(name, Path.of(name + SUFFIX), conversion);
    }

    void decompress(String name, Conversion conversion) throws IOException {
        refuseTerminal(name);
        boolean toStandard = goesToStandard(name);
        if (!toStandard
                && (!name.endsWith(SUFFIX)
                        || Path.of(name).getFileName().toString().equals(SUFFIX))) {
            throw new Warning("the name does not end in %s: skipped".formatted(SUFFIX));
        }
        int length = toStandard ? name.length() : name.length() - SUFFIX.length();
        convert(name, Path.of(name.substring(0, length)), conversion);
    }

    /// @throws IOException when an archive would be typed
    void refuseTerminal(String name) throws IOException {
        if (name.equals(STANDARD) && Terminal.inputIsOne() && !places.force) {
            throw new IOException("an archive is not read from a terminal: name a file, or redirect one (< FILE)");
        }
    }

    private boolean goesToStandard(String name) {
        return places.standardOutput || name.equals(STANDARD);
    }

    private void convert(String name, Path target, Conversion conversion) throws IOException {
        if (name.equals(STANDARD)) {
            conversion.convert(System.in, OptionalLong.empty(), new StandardOutput());
            return;
        }
        Path source = Path.of(name);
        requireFile(source);
        OptionalLong length = length(source);
        try (InputStream in = Files.newInputStream(source)) {
            if (places.standardOutput) {
                conversion.convert(in, length, new StandardOutput());
                return;
            }
            write(source, target, out -> conversion.convert(in, length, out));
        }
        if (!places.keep) {
            Files.delete(source);
        }
    }

    /// Unknown of pipes, and of files in /proc: the system says 0, and makes their content when they are read.
    static OptionalLong length(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return OptionalLong.empty();
        }
        long size = Files.size(file);
        return size > 0 || isEmpty(file) ? OptionalLong.of(size) : OptionalLong.empty();
    }

    private static boolean isEmpty(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.read() < 0;
        }
    }

    private void requireFile(Path source) throws IOException {
        if (!Files.exists(source)) {
            throw new NoSuchFileException(source.toString());
        }
        if (Files.isDirectory(source)) {
            throw new Warning("it is a folder: skipped");
        }
        boolean asItIs = places.force || places.standardOutput;
        if (!asItIs && !places.keep && Files.isSymbolicLink(source)) {
            throw new Warning("it is a symbolic link: skipped; -k or -f follows it");
        }
        if (!asItIs && !Files.isRegularFile(source)) {
            throw new Warning("it is no regular file: skipped");
        }
    }

    @FunctionalInterface
    private interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    private void write(Path source, Path target, Content content) throws IOException {
        if (Files.exists(target) && !places.force) {
            throw new IOException("%s is there already; -f replaces it".formatted(target));
        }
        FileTime modified = Files.getLastModifiedTime(source);
        try (Unfinished unfinished = new Unfinished(AtomicFile.beside(target))) {
            AtomicFile.write(target, channel -> {
                copyPermissions(source, unfinished.file()); // before there is anything to read in it
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER);
                content.writeTo(out);
                out.flush();
            });
        }
        Files.setLastModifiedTime(target, modified);
    }

    private static void copyPermissions(Path from, Path to) throws IOException {
        PosixFileAttributeView source = Files.getFileAttributeView(from, PosixFileAttributeView.class);
        PosixFileAttributeView target = Files.getFileAttributeView(to, PosixFileAttributeView.class);
        if (source != null && target != null) {
            target.setPermissions(source.readAttributes().permissions());
        }
    }
}
