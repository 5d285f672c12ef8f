package ai.epitome.tensor.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CarriedLibraryTest {
    @TempDir
    Path folder;

    private CarriedLibrary library;

    @BeforeEach
    void find() throws IOException {
        library = CarriedLibrary.find("org/bytedeco/dnnl/linux-x86_64/libgomp.so.1");
    }

    @Test
    void aWholeCopyIsKept() throws IOException {
        Path file = library.unpack(folder);
        var written = Files.getLastModifiedTime(file);
        assertThat(Files.size(file)).isEqualTo(library.size());
        assertThat(library.unpack(folder)).isEqualTo(file);
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(written);
    }

    @Test
    void aTruncatedCopyIsReplaced() throws IOException {
        Path file = library.unpack(folder);
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, java.util.Arrays.copyOf(whole, whole.length / 2));
        assertThat(Files.readAllBytes(library.unpack(folder))).isEqualTo(whole);
    }

    @Test
    void anAlteredCopyIsReplaced() throws IOException {
        Path file = library.unpack(folder);
        byte[] whole = Files.readAllBytes(file);
        byte[] altered = whole.clone();
        altered[altered.length / 2] ^= 1;
        Files.write(file, altered);
        assertThat(Files.readAllBytes(library.unpack(folder))).isEqualTo(whole);
    }

    @Test
    void manyAtOnceLeaveOneWholeFile() throws Exception {
        try (var pool = Executors.newFixedThreadPool(6)) {
            List<Callable<Path>> tasks = IntStream.range(0, 12)
                    .<Callable<Path>>mapToObj(_ -> () -> library.unpack(folder))
                    .toList();
            for (Future<Path> file : pool.invokeAll(tasks)) {
                assertThat(Files.size(file.get())).isEqualTo(library.size());
            }
        }
        try (var files = Files.list(folder)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsAnError() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "not a folder");
        assertThatThrownBy(() -> library.unpack(file.resolve("below"))).isInstanceOf(IOException.class);
    }

    @Test
    void aMissingResourceIsNamed() {
        assertThatThrownBy(() -> CarriedLibrary.find("org/nowhere/lib.so"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("org/nowhere/lib.so");
    }
}
