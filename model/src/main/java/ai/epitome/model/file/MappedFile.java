package ai.epitome.model.file;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/// A file of weights, memory-mapped.
///
/// A file that is replaced, or removed, stays as it was for whoever has mapped it. One that is cut does not: its pages
/// are gone, and Java's reads of them end in an `InternalError`. A read by machine code would end the process: none is
/// given these addresses. [#requireWhole] says what has happened.
public final class MappedFile implements AutoCloseable {
    private final Path path;
    private final RandomAccessFile file; // null for bytes that are no file
    private final Arena arena;
    private final MemorySegment bytes;

    private MappedFile(Path path, RandomAccessFile file, Arena arena, MemorySegment bytes) {
        this.path = path;
        this.file = file;
        this.arena = arena;
        this.bytes = bytes;
    }

    /// Maps a file, which is kept open: what has its name may be another one later.
    public static MappedFile open(Path path) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
        Arena arena = Arena.ofShared();
        try {
            FileChannel channel = file.getChannel();
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new MappedFile(path, file, arena, bytes);
        } catch (IOException | RuntimeException e) {
            arena.close();
            file.close();
            throw e;
        }
    }

    /// What a reader makes of a file, which it keeps mapped; where it fails, the mapping ends.
    public static <T> T read(Path path, Reader<T> reader) throws IOException {
        MappedFile mapping = open(path);
        try {
            return reader.read(mapping);
        } catch (IOException | RuntimeException e) {
            mapping.close();
            throw e;
        }
    }

    /// Understands a mapped file, which belongs to the result.
    public interface Reader<T> {
        T read(MappedFile mapping) throws IOException;
    }

    /// A copy of bytes that could be a file.
    ///
    /// @param path for messages
    public static MappedFile of(Path path, byte[] content) {
        Arena arena = Arena.ofShared();
        MemorySegment bytes = arena.allocate(Math.max(1, content.length)).asSlice(0, content.length);
        return new MappedFile(path, null, arena, bytes.copyFrom(MemorySegment.ofArray(content)));
    }

    public Path path() {
        return path;
    }

    /// All bytes; valid until [#close].
    public MemorySegment bytes() {
        return bytes;
    }

    /// @throws UncheckedIOException when the file has been cut since it was mapped
    public void requireWhole() {
        try {
            if (file != null && file.length() < bytes.byteSize()) {
                throw new UncheckedIOException(new MalformedModelException(
                        path,
                        "was cut from %,d to %,d bytes while it was in use: put the whole file there and start again"
                                .formatted(bytes.byteSize(), file.length())));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Ends the mapping. A second call does nothing.
    @Override
    public void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        arena.close();
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
