package ai.epitome.model.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// Replaces a file so that a reader, a crash or a full disk finds the old content or the new, never a part: written
/// beside it, forced to the disk, renamed.
public final class AtomicFile {
    private AtomicFile() {}

    /// Writes a file's content.
    @FunctionalInterface
    public interface Content {
        void writeTo(FileChannel channel) throws IOException;
    }

    /// Replaces `file`.
    ///
    /// @throws IOException when it cannot be written; nothing is then left behind and the old file is untouched
    public static void write(Path file, Content content) throws IOException {
        Path target = file.toAbsolutePath();
        Path beside = beside(target);
        try {
            try (FileChannel channel = FileChannel.open(
                    beside,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forceFolder(target.getParent());
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(beside);
            throw e;
        }
    }

    /// Where the new content of `file` grows until it is whole. A process that is killed leaves it there.
    public static Path beside(Path file) {
        return file.resolveSibling(file.getFileName() + ".part");
    }

    /// Replaces `file` by UTF-8 text.
    public static void write(Path file, String text) throws IOException {
        write(file, channel -> {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
    }

    /// A rename survives a power failure only once the folder is on the disk. Not every system can open a folder.
    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // The content is whole and in place; only how soon the rename is durable is left to the system.
        }
    }
}
