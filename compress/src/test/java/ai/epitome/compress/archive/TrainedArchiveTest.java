package ai.epitome.compress.archive;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.Method;
import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import ai.epitome.compress.gpt.SmallCodings;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Archives of trained models are read by any machine, with any number of threads and of blocks at a time.
class TrainedArchiveTest {
    private static final String VECTOR = "--add-modules jdk.incubator.vector ";
    private static final int BLOCK = 300;

    @TempDir
    static Path folder;

    /// Text longer than a context, and blocks that no model can shorten.
    private static byte[] content() {
        byte[] content = new byte[20 * BLOCK + 17];
        for (int i = 0; i < content.length; i++) {
            content[i] = SmallCodings.TEXT[i * 7 / 6 % SmallCodings.TEXT.length];
        }
        System.arraycopy(Archives.noise(3 * BLOCK), 0, content, 4 * BLOCK, 3 * BLOCK);
        return content;
    }

    /// Another number of blocks at a time.
    private record Grouped(Coding coding, int group) implements Coding {
        @Override
        public Method method() {
            return coding.method();
        }

        @Override
        public byte[] probe() {
            return coding.probe();
        }

        @Override
        public BlockCodec newCodec() {
            return coding.newCodec();
        }

        @Override
        public boolean usesThreads() {
            return true;
        }

        @Override
        public byte[][] encode(byte[][] blocks, Progress progress) {
            return coding.encode(blocks, progress);
        }

        @Override
        public byte[][] decode(byte[][] coded, int[] lengths, Progress progress) {
            return coding.decode(coded, lengths, progress);
        }
    }

    static List<Tokenizer> tokenizers() {
        return List.of(SmallCodings.BYTES, SmallCodings.BYTES_ALONE, SmallCodings.PAIRS);
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void anyNumberOfStreamsAndThreads(Tokenizer tokenizer) throws IOException {
        byte[] plain = content();
        try (Workers two = new Workers(2);
                Workers one = new Workers(1)) {
            Coding coding = SmallCodings.coding(tokenizer, two, ExactKernels.best());
            Coding single = SmallCodings.coding(tokenizer, one, ExactKernels.scalar());
            byte[] archive = Archives.archive(plain, coding, Layout.independent(BLOCK), 2);
            assertThat(archive.length).isLessThan(plain.length * 9 / 10);
            assertThat(Archives.archive(plain, new Grouped(single, 3), Layout.independent(BLOCK), 1))
                    .isEqualTo(archive);
            for (int group : new int[] {1, 2, 7, 200}) {
                assertThat(Archives.plain(archive, new Grouped(coding, group), 2))
                        .isEqualTo(plain);
            }
            assertThat(Archives.plain(archive, new Grouped(single, 5), 1)).isEqualTo(plain);
        }
    }

    /// One archive, made on all registers of this machine by two threads.
    @ParameterizedTest
    @CsvSource({
        VECTOR + ", 2, Vector API",
        VECTOR + ", 1, Vector API",
        VECTOR + "-XX:UseAVX=2, 2, 8 lanes",
        VECTOR + "-XX:UseAVX=1, 2, lanes",
        VECTOR + "-Xint, 1, single elements",
        "-XX:UseAVX=2, 2, single elements",
        "-XX:TieredStopAtLevel=1, 1, single elements",
    })
    void anyMachine(String flags, String threads, String kernels) throws IOException, InterruptedException {
        byte[] plain = content();
        Path model = folder.resolve("model");
        Path archive = folder.resolve("archive");
        if (!Files.exists(archive)) {
            SmallCodings.save(model, SmallCodings.PAIRS);
            try (Codings codings = new Codings(Optional.of(model), 2)) {
                Files.write(archive, Archives.archive(plain, codings.pretrained(), Layout.independent(BLOCK), 2));
            }
        }
        Path back = Files.createTempFile(folder, "back", "");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(flags.strip().split(" ")));
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(Reader.class.getName());
        command.addAll(List.of(model.toString(), archive.toString(), back.toString(), threads));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains(kernels);
        assertThat(back).hasBinaryContent(plain);
    }

    /// Reads an archive in a Java virtual machine of its own.
    static final class Reader {
        private Reader() {}

        public static void main(String[] arguments) throws IOException {
            System.out.println(ExactKernels.best().describe());
            try (Codings codings = new Codings(Optional.of(Path.of(arguments[0])), Integer.parseInt(arguments[3]));
                    InputStream in = Files.newInputStream(Path.of(arguments[1]));
                    OutputStream out = Files.newOutputStream(Path.of(arguments[2]))) {
                ArchiveReader reader = new ArchiveReader(in);
                reader.decode(codings.of(reader.header()), 1, out, Progress.NONE);
            }
        }
    }

    /// Both ways progress comes more often than groups end, never goes back, and ends at the end.
    @Test
    void progressWithinAGroup() throws IOException {
        byte[] plain = content();
        Coding coding = SmallCodings.coding(SmallCodings.PAIRS);
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        List<long[]> steps = new ArrayList<>();
        Progress progress = (bytes, coded) -> steps.add(new long[] {bytes, coded});
        new ArchiveWriter(coding, Layout.independent(BLOCK), 1)
                .write(new ByteArrayInputStream(plain), OptionalLong.empty(), archive, progress);
        assertGrows(steps, plain.length, archive.size(), 20);
        steps.clear();
        new ArchiveReader(new ByteArrayInputStream(archive.toByteArray()))
                .decode(coding, 1, OutputStream.nullOutputStream(), progress);
        assertGrows(steps, plain.length, archive.size(), 50);
    }

    private static void assertGrows(List<long[]> steps, long plain, long archive, int count) {
        assertThat(steps).hasSizeGreaterThan(count);
        for (int i = 1; i < steps.size(); i++) {
            assertThat(steps.get(i)[0]).isGreaterThanOrEqualTo(steps.get(i - 1)[0]);
        }
        assertThat(steps.getLast()[0]).isEqualTo(plain);
        assertThat(steps.getLast()[1]).isBetween(archive * 3 / 4, archive);
    }
}
