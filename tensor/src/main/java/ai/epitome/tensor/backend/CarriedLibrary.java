package ai.epitome.tensor.backend;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/// A shared library that a jar on the class path carries, and its unpacked copy.
///
/// The system's loader wants a file, so the library is unpacked once and kept. A copy is trusted only when its size
/// and CRC-32 are those that the jar states; a missing, cut off or altered one is written anew, beside its place
/// and then renamed, so that a process that starts at the same moment sees no half file.
///
/// @param resource where it lies on the class path
/// @param size bytes
/// @param crc CRC-32 of its bytes
record CarriedLibrary(URL resource, long size, long crc) {

    /// Finds `path` on the class path and reads its size and checksum (from the jar's directory, without unpacking).
    static CarriedLibrary find(String path) throws IOException {
        URL resource = CarriedLibrary.class.getClassLoader().getResource(path);
        if (resource == null) {
            throw new IOException("no " + path + " on the class path");
        }
        URLConnection connection = resource.openConnection();
        connection.setUseCaches(false);
        if (connection instanceof JarURLConnection jar) {
            try (var file = jar.getJarFile()) {
                var entry = file.getJarEntry(jar.getEntryName());
                return new CarriedLibrary(resource, entry.getSize(), entry.getCrc());
            }
        }
        CRC32 crc = new CRC32();
        try (InputStream in = new CheckedInputStream(connection.getInputStream(), crc)) {
            long size = in.transferTo(OutputStream.nullOutputStream());
            return new CarriedLibrary(resource, size, crc.getValue());
        }
    }

    /// The folder in which unpacked libraries are kept between runs: `$XDG_CACHE_HOME/epitome/native` or
    /// `~/.cache/epitome/native`.
    static Path cache() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg != null && !xdg.isBlank() ? Path.of(xdg) : Path.of(System.getProperty("user.home"), ".cache");
        return base.resolve("epitome").resolve("native");
    }

    /// Makes sure that `folder` holds this library and returns its path.
    Path unpack(Path folder) throws IOException {
        String path = resource.getPath();
        Path target = folder.resolve(path.substring(path.lastIndexOf('/') + 1));
        if (isWhole(target)) {
            return target;
        }
        Files.createDirectories(folder);
        Path beside = Files.createTempFile(folder, target.getFileName().toString(), ".part");
        try {
            URLConnection connection = resource.openConnection();
            connection.setUseCaches(false);
            try (InputStream in = connection.getInputStream()) {
                Files.copy(in, beside, StandardCopyOption.REPLACE_EXISTING);
            }
            if (!isWhole(beside)) {
                throw new IOException("%s was unpacked to %s, but size or checksum differ from the %,d bytes expected"
                        .formatted(resource, beside, size));
            }
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
        return target;
    }

    private boolean isWhole(Path file) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) != size) {
            return false;
        }
        CRC32 found = new CRC32();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            while (channel.read(buffer) >= 0) {
                found.update(buffer.flip());
                buffer.clear();
            }
        }
        return found.getValue() == crc;
    }
}
