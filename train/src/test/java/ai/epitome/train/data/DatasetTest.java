package ai.epitome.train.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DatasetTest {
    private static final Tokenizer BYTES = new DoubledBytes(600, true);

    @TempDir
    Path cache;

    static List<byte[]> randomTexts(int count, int longest, long seed) {
        Random random = new Random(seed);
        List<byte[]> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] text = new byte[1 + random.nextInt(longest)];
            for (int j = 0; j < text.length; j++) {
                text[j] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : 'a' + random.nextInt(2));
            }
            texts.add(text);
        }
        return texts;
    }

    private Dataset prepare(Corpus corpus, HeldOut rule, Tokenizer tokenizer) throws IOException {
        return Dataset.prepare(corpus, corpus.scan(), rule, tokenizer, cache, 3, bytes -> {});
    }

    @ParameterizedTest
    @CsvSource({"600,true", "600,false", "65536,true", "65537,false", "100000,true"})
    void everyDocumentComesBackByteForByte(int vocabulary, boolean endOfText) throws IOException {
        Tokenizer tokenizer = new DoubledBytes(vocabulary, endOfText);
        List<byte[]> texts = randomTexts(2000, 900, vocabulary);
        HeldOut.ByHash rule = new HeldOut.ByHash(0.1);
        int lead = endOfText ? 1 : 0;
        try (Dataset dataset = prepare(Corpus.ofTexts(texts), rule, tokenizer)) {
            long train = 0;
            long heldOut = 0;
            for (byte[] text : texts) {
                boolean held = rule.holdsOut(new Document(text, "", 0));
                TokenShards side = held ? dataset.heldOut() : dataset.train();
                long document = held ? heldOut++ : train++;
                long start = side.documentStart(document);
                int[] ids = side.read(start, (int) (side.documentStart(document + 1) - start));
                if (endOfText) {
                    assertThat(ids[0]).isEqualTo(tokenizer.endOfText().getAsInt());
                }
                assertThat(tokenizer.decode(Arrays.copyOfRange(ids, lead, ids.length)))
                        .isEqualTo(text);
            }
            assertThat(dataset.train().documents()).isEqualTo(train);
            assertThat(dataset.heldOut().documents()).isEqualTo(heldOut);
            assertThat(dataset.train().bytes() + dataset.heldOut().bytes())
                    .isEqualTo(dataset.summary().bytes());
            assertThat(dataset.train().read(dataset.train().tokens() - 1, 1)[0])
                    .satisfies(last -> assertThat(last == vocabulary - 1).isEqualTo(endOfText));
            assertThat(dataset.toJson().path("train").path("bytes").asLong())
                    .isEqualTo(dataset.train().bytes());
        }
    }

    @Test
    void isMadeOnceAndThenOpened() throws IOException {
        Corpus corpus = Corpus.ofTexts(randomTexts(300, 100, 1));
        HeldOut rule = new HeldOut.ByHash(0.1);
        AtomicLong done = new AtomicLong();
        CorpusSummary summary = corpus.scan();
        Dataset.prepare(corpus, summary, rule, BYTES, cache, 2, done::set).close();
        assertThat(done.get()).isEqualTo(summary.bytes());
        done.set(-1);
        Dataset.prepare(corpus, summary, rule, BYTES, cache, 2, done::set).close();
        assertThat(done.get()).isEqualTo(-1);
        // Another tokenizer, another rule, another text: other folders.
        prepare(corpus, rule, new DoubledBytes(601, true)).close();
        prepare(corpus, new HeldOut.ByHash(0.2), BYTES).close();
        prepare(Corpus.ofTexts(randomTexts(300, 100, 2)), rule, BYTES).close();
        try (Stream<Path> folders = Files.list(cache)) {
            assertThat(folders).hasSize(4);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"truncate", "extend", "flip", "header", "delete", "index", "tokens", "no index", "half index"})
    void aDamagedCacheIsMadeAgain(String damage) throws IOException {
        Corpus corpus = Corpus.ofTexts(randomTexts(300, 100, 1));
        HeldOut rule = new HeldOut.ByHash(0.1);
        int[] expected;
        Path folder;
        try (Dataset dataset = prepare(corpus, rule, BYTES)) {
            expected = dataset.train().read(0, (int) dataset.train().tokens());
            folder = dataset.folder();
        }
        Path shard = folder.resolve("train-00000.tokens");
        Path index = folder.resolve("index.json");
        try (RandomAccessFile file = new RandomAccessFile(shard.toFile(), "rw")) {
            switch (damage) {
                case "truncate" -> file.setLength(file.length() - 9);
                case "extend" -> file.setLength(file.length() + 8);
                case "flip" -> overwrite(file, file.length() / 2);
                case "header" -> overwrite(file, 33);
                case "delete" -> Files.delete(shard);
                case "index" -> Files.writeString(index, "{}");
                case "tokens" ->
                    Files.writeString(
                            index, Files.readString(index).replace("\"train_tokens\" : ", "\"train_tokens\" : 1"));
                case "no index" -> Files.delete(index);
                default -> Files.writeString(index, Files.readString(index).substring(0, 40));
            }
        }
        try (Dataset again = prepare(corpus, rule, BYTES)) {
            assertThat(again.notice()).contains("made again");
            assertThat(again.train().read(0, (int) again.train().tokens())).isEqualTo(expected);
        }
        try (Dataset whole = prepare(corpus, rule, BYTES)) {
            assertThat(whole.notice()).isEmpty();
        }
    }

    private static void overwrite(RandomAccessFile file, long at) throws IOException {
        file.seek(at);
        int old = file.read();
        file.seek(at);
        file.write(old ^ 1);
    }

    @Test
    void leavesNothingBehindWhenItFailsAndTidiesUpAfterOthers() throws IOException {
        Path dead = Files.createDirectories(cache.resolve("part-999999999999-abc"));
        Files.writeString(dead.resolve("train-00000.tokens"), "unfinished");
        Corpus corpus = Corpus.ofTexts(randomTexts(300, 100, 1));
        Tokenizer lossy = new DoubledBytes(600, true, true);
        assertThatThrownBy(() -> prepare(corpus, new HeldOut.ByHash(0.1), lossy))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("byte for byte");
        assertThat(cache).isEmptyDirectory();
        Corpus one = Corpus.of("one", "abc".getBytes(UTF_8));
        assertThatThrownBy(() -> prepare(one, new HeldOut.ByHash(1e-9), BYTES))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("held-out");
        assertThat(cache).isEmptyDirectory();
    }

    @Test
    void readingOutsideIsRefused() throws IOException {
        try (Dataset dataset = prepare(Corpus.ofTexts(randomTexts(50, 100, 5)), new HeldOut.ByHash(0.3), BYTES)) {
            TokenShards train = dataset.train();
            assertThatThrownBy(() -> train.read(train.tokens() - 1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> train.read(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(train.read(train.tokens(), 0)).isEmpty();
        }
    }
}
