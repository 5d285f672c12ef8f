package ai.epitome.train.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class CorpusTest {
    private static final String LINES =
            "{\"id\":[1,{\"text\":2}],\"text\":\"one\"}\n\n{\"text\":\"\"}\r\n{\"text\":\"zw\\u00f6lf\"}";

    @TempDir
    Path folder;

    private interface Packer {
        OutputStream pack(OutputStream out) throws IOException;
    }

    private static Packer packer(String ending) {
        return switch (ending) {
            case ".gz" -> GZIPOutputStream::new;
            case ".zst" -> ZstdOutputStream::new;
            case ".xz" -> out -> new XZOutputStream(out, new LZMA2Options(0));
            case ".bz2" -> BZip2CompressorOutputStream::new;
            default -> out -> out;
        };
    }

    private static byte[] pack(String ending, byte[] text) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = packer(ending).pack(packed)) {
            out.write(text);
        }
        return packed.toByteArray();
    }

    private Path write(String name, byte[] bytes) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.write(file, bytes);
    }

    private static List<Document> read(Corpus corpus) throws IOException {
        List<Document> documents = new ArrayList<>();
        try (DocumentReader reader = corpus.open()) {
            for (Document document = reader.next(); document != null; document = reader.next()) {
                documents.add(document);
            }
        }
        return documents;
    }

    private static List<String> texts(Corpus corpus) throws IOException {
        return read(corpus).stream()
                .map(document -> new String(document.text(), UTF_8))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".gz", ".zst", ".xz", ".bz2"})
    void readsPlainTextAndJsonLinesInEveryPacking(String ending) throws IOException {
        byte[] anyBytes = new byte[200_000];
        new Random(1).nextBytes(anyBytes);
        Path plain = write("plain.txt" + ending, pack(ending, anyBytes));
        Path lines = write("lines.jsonl" + ending, pack(ending, LINES.getBytes(UTF_8)));

        assertThat(read(Corpus.of(List.of(plain))))
                .singleElement()
                .satisfies(document -> assertThat(document.text()).isEqualTo(anyBytes));
        List<Document> documents = read(Corpus.of(List.of(lines)));
        assertThat(documents)
                .extracting(document -> new String(document.text(), UTF_8))
                .containsExactly("one", "zwölf");
        assertThat(documents).extracting(Document::position).containsExactly(1L, 4L);
    }

    @ParameterizedTest
    @ValueSource(strings = {".gz", ".zst", ".xz", ".bz2"})
    void readsSeveralPackedStreamsInOneFile(String ending) throws IOException {
        ByteArrayOutputStream twice = new ByteArrayOutputStream();
        twice.writeBytes(pack(ending, "first ".getBytes(UTF_8)));
        twice.writeBytes(pack(ending, "second".getBytes(UTF_8)));
        Path file = write("twice.txt" + ending, twice.toByteArray());
        assertThat(texts(Corpus.of(List.of(file)))).containsExactly("first second");
    }

    @ParameterizedTest
    @ValueSource(strings = {".gz", ".zst", ".xz", ".bz2"})
    void saysWhichPackedFileIsTruncated(String ending) throws IOException {
        byte[] text = new byte[100_000];
        new Random(2).nextBytes(text);
        byte[] packed = pack(ending, text);
        Path file = write("cut.txt" + ending, Arrays.copyOf(packed, packed.length / 2));
        assertThatThrownBy(() -> read(Corpus.of(List.of(file))))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("cut.txt" + ending)
                .hasMessageContaining("truncated");
    }

    @ParameterizedTest
    @ValueSource(strings = {".gz", ".zst", ".xz", ".bz2"})
    void damagedPackedFilesAreReadOrReported(String ending) throws IOException {
        byte[] packed = pack(ending, LINES.repeat(50).getBytes(UTF_8));
        Random random = new Random(7);
        int reported = 0;
        for (int i = 0; i < 300; i++) {
            byte[] damaged = packed.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 + random.nextInt(255));
            Path file = write("damaged.txt" + ending, damaged);
            try {
                read(Corpus.of(List.of(file)));
            } catch (CorpusException e) {
                assertThat(e).hasMessageContaining("damaged.txt" + ending);
                reported++;
            }
        }
        assertThat(reported).isGreaterThan(100);
    }

    @Test
    void aPackedFileCannotAskForAllMemory() throws IOException {
        byte[] packed = pack(".xz", "some text".getBytes(UTF_8));
        assertThat(Arrays.copyOfRange(packed, 12, 16)).containsExactly(2, 0, 0x21, 1); // one filter, LZMA2
        packed[16] = 37; // its dictionary, 3 << 29 bytes
        CRC32 checksum = new CRC32();
        checksum.update(packed, 12, 8);
        ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN).putInt(20, (int) checksum.getValue());
        Path file = write("greedy.txt.xz", packed);
        assertThatThrownBy(() -> read(Corpus.of(List.of(file))))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("greedy.txt.xz")
                .hasMessageContaining("of memory would be needed");
    }

    /// A megabyte of packed zeros is a gigabyte of them: they are cut into pieces, and never held together.
    @Test
    void aPackedFileUnfoldsPieceByPiece() throws IOException {
        Path file = write("bomb.txt.gz", pack(".gz", new byte[50 << 20]));
        assertThat(Files.size(file)).isLessThan(100_000);
        long total = 0;
        try (DocumentReader reader =
                Corpus.of(List.of(file)).withPieces(1 << 20).open()) {
            for (Document document = reader.next(); document != null; document = reader.next()) {
                assertThat(document.text().length).isLessThanOrEqualTo(1 << 20);
                total += document.text().length;
            }
        }
        assertThat(total).isEqualTo(50 << 20);
        Path line = write("bomb.jsonl.gz", pack(".gz", new byte[50 << 20]));
        assertThatThrownBy(() -> read(Corpus.of(List.of(line)).withPieces(1 << 20)))
                .hasMessageContaining("line 1: the line is longer than 1048576 bytes");
    }

    @FuzzTest
    void linesOfAnyBytesAreReadOrReported(byte[] bytes) throws IOException {
        Corpus corpus = Corpus.of("fuzz.jsonl", bytes);
        try {
            assertThat(read(corpus))
                    .allSatisfy(document -> assertThat(document.text()).isNotEmpty());
        } catch (CorpusException e) {
            assertThat(e).hasMessageContaining("fuzz.jsonl, line ");
        }
    }

    @Test
    void walksFoldersInSortedOrderAndSkipsHiddenNames() throws IOException {
        write("b.txt", "B".getBytes(UTF_8));
        write("a/z.txt", "A".getBytes(UTF_8));
        write("a-1.txt", "A1".getBytes(UTF_8));
        write("c.jsonl", "{\"text\":\"C\"}".getBytes(UTF_8));
        write(".hidden", "no".getBytes(UTF_8));
        write(".git/x.txt", "no".getBytes(UTF_8));
        write("empty.txt", new byte[0]);
        Corpus corpus = Corpus.of(List.of(folder));
        assertThat(texts(corpus)).containsExactly("A1", "A", "B", "C");
        assertThat(corpus.scan().files())
                .extracting(file -> folder.relativize(Path.of(file.name())).toString())
                .containsExactly("a-1.txt", "a/z.txt", "b.txt", "c.jsonl", "empty.txt");
    }

    @Test
    void scanCountsAndHashes() throws IOException {
        Path file = write("abc.txt.gz", pack(".gz", "abc".getBytes(UTF_8)));
        CorpusSummary summary = Corpus.of(List.of(file)).scan();
        assertThat(summary.documents()).isEqualTo(1);
        assertThat(summary.bytes()).isEqualTo(3);
        DataFile found = summary.files().getFirst();
        assertThat(found.size()).isEqualTo(Files.size(file));
        assertThat(found.sha256())
                .isEqualTo(HexFormat.of().formatHex(Document.newSha256().digest(Files.readAllBytes(file))));
        assertThat(summary.binaryLooking()).isEmpty();
        assertThat(Corpus.of("x", "abd".getBytes(UTF_8)).scan().sha256()).isNotEqualTo(summary.sha256());
        assertThat(Corpus.of("x", "abc".getBytes(UTF_8)).scan().sha256()).isEqualTo(summary.sha256());
    }

    @Test
    void cutsLongPlainFilesAfterLineBreaks() throws IOException {
        String text = "line one\nline two\nno break for a long while, so cut anywhere";
        Corpus corpus = Corpus.of("long.txt", text.getBytes(UTF_8)).withPieces(20);
        List<Document> pieces = read(corpus);
        assertThat(String.join("", texts(corpus))).isEqualTo(text);
        assertThat(texts(corpus)).first().isEqualTo("line one\nline two\n");
        assertThat(pieces).allSatisfy(piece -> assertThat(piece.text().length).isBetween(1, 20));
        assertThat(pieces).extracting(Document::position).startsWith(0L, 18L);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"text\":\"cut off",
                "{\"text\":12}",
                "{\"txt\":\"a\"}",
                "[1,2]",
                "not json",
                "{\"text\":\"a\"} {\"text\":\"b\"}",
                "{\"text\":null}"
            })
    void saysWhichJsonLineIsBroken(String line) throws IOException {
        Path file = write("broken.jsonl", ("{\"text\":\"fine\"}\n" + line + "\n").getBytes(UTF_8));
        assertThatThrownBy(() -> read(Corpus.of(List.of(file))))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("broken.jsonl, line 2: ");
    }

    @Test
    void refusesInvalidUtf8InJsonAndLinesWithoutEnd() throws IOException {
        Path invalid =
                write("invalid.jsonl", new byte[] {'{', '"', 't', 'e', 'x', 't', '"', ':', '"', (byte) 0xff, '"', '}'});
        assertThatThrownBy(() -> read(Corpus.of(List.of(invalid)))).hasMessageContaining("invalid.jsonl, line 1: ");
        Path lines = write("long.jsonl", ("{\"text\":\"" + "x".repeat(100) + "\"}").getBytes(UTF_8));
        assertThatThrownBy(() -> read(Corpus.of(List.of(lines)).withPieces(50)))
                .hasMessageContaining("line 1: the line is longer than 50 bytes");
    }

    @Test
    void readsLinesAcrossBufferBorders() throws IOException {
        StringBuilder lines = new StringBuilder();
        List<String> expected = new ArrayList<>();
        Random random = new Random(3);
        for (int i = 0; i < 50; i++) {
            String text = "ab".repeat(random.nextInt(20_000)) + i;
            expected.add(text);
            lines.append("{\"text\":\"").append(text).append("\"}\n");
        }
        Path file = write("many.ndjson", lines.toString().getBytes(UTF_8));
        assertThat(texts(Corpus.of(List.of(file)))).isEqualTo(expected);
    }

    @Test
    void saysWhatIsMissingOrEmpty() throws IOException {
        assertThatThrownBy(() -> Corpus.of(List.of(folder.resolve("nothing"))))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("no such file or folder");
        Path hollow = Files.createDirectory(folder.resolve("hollow"));
        assertThatThrownBy(() -> Corpus.of(List.of(hollow))).hasMessageContaining("holds no files");
        Path empty = write("empty.txt", new byte[0]);
        assertThatThrownBy(() -> Corpus.of(List.of(empty)).scan())
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("empty.txt")
                .hasMessageContaining("empty");
        assertThatThrownBy(() -> Corpus.of(List.of())).hasMessageContaining("at least one");
    }

    @Test
    void noticesFilesThatDoNotLookLikeText() throws IOException {
        byte[] noise = new byte[1000];
        new Random(4).nextBytes(noise);
        Path binary = write("binary.bin", noise);
        Path latin = write("latin1.txt", "d\u00e9j\u00e0 vu\n".getBytes(ISO_8859_1));
        assertThat(Corpus.of(List.of(binary, latin)).scan().binaryLooking()).containsExactly(binary.toString());
    }

    @Test
    void bundledTextIsTheKnownOne() throws IOException {
        byte[] text = BundledText.tinyshakespeare();
        assertThat(text).hasSize(1_115_394);
        assertThat(BundledText.tinyshakespeareCorpus().scan().files().getFirst().sha256())
                .isEqualTo(BundledText.TINYSHAKESPEARE_SHA256);
    }

    @Test
    void readsRealFiles() throws IOException {
        Path file = Path.of(System.getProperty("epitome.shared"), "data/pretrain/udhr.jsonl.zst");
        Assumptions.assumeTrue(Files.exists(file), "needs " + file);
        CorpusSummary summary = Corpus.of(List.of(file)).scan();
        assertThat(summary.documents()).isGreaterThan(300);
        assertThat(HeldOut.choose(Corpus.of(List.of(file)), summary)).isInstanceOf(HeldOut.ByHash.class);
    }
}
