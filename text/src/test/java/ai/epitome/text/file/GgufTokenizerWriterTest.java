package ai.epitome.text.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.split.Splitting;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTokenizerWriterTest {
    private static final List<String> TEXTS = List.of(
            "",
            "Hello  world, don't\n\n\tstop 12345",
            "héllo \u65e5\u672c\u8a9e \ud83d\ude42",
            " leading",
            "<|endoftext|></s>\u2581");

    private static GgufMetadata written(Tokenizer tokenizer, int vocabulary) throws IOException {
        var writer = new GgufMetadataWriter();
        Tokenizers.toGguf(tokenizer, vocabulary, writer);
        return GgufMetadata.read(new ByteArrayInputStream(writer.header(0)), "test");
    }

    private static void comesBack(Tokenizer tokenizer) throws IOException {
        Tokenizer back = Tokenizers.ofGguf(written(tokenizer, tokenizer.vocabularySize()), "test");
        assertThat(back.vocabularySize()).isEqualTo(tokenizer.vocabularySize());
        assertThat(back.specialTokens()).isEqualTo(tokenizer.specialTokens());
        assertThat(back.beginOfText()).isEqualTo(tokenizer.beginOfText());
        for (String text : TEXTS) {
            assertThat(back.encode(text)).as(text).containsExactly(tokenizer.encode(text));
        }
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            assertThat(back.token(id)).as("token %d", id).containsExactly(tokenizer.token(id));
        }
    }

    private static BytePairTokenizer trained(Splitting splitting) {
        byte[] text = "Hello world, hello words, don't stop: 12345 12345 1234 h\u00e9llo".getBytes();
        return BytePairTrainer.train(List.of(text).iterator(), 290, splitting, List.of("<|endoftext|>"), 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpt2/encoder.json",
                "llama2/tokenizer.model",
                "llama2/tokenizer.bin",
                "tiktoken/cl100k_base.tiktoken.gz",
                "llama.cpp/ggml-vocab-llama-spm.gguf",
                "llama.cpp/ggml-vocab-deepseek-llm.gguf",
                "llama.cpp/ggml-vocab-gpt-2.gguf"
            })
    void tokenizersOfElsewhereComeBack(String name) throws IOException {
        Path file = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "tokenizers", name);
        assumeTrue(Files.exists(file), () -> file + " is not there: its tokenizer is not written");
        comesBack(Tokenizers.load(file));
    }

    @Test
    void ourOwnComeBackUnderTheNamesOfLlamaCpp() throws IOException {
        for (Splitting splitting :
                List.of(Splitting.GPT2, Splitting.GPT2_DIGITS, Splitting.GPT4, Splitting.QWEN2, Splitting.GPT4O)) {
            comesBack(trained(splitting));
        }
        comesBack(new ByteTokenizer());
        assertThat(written(trained(Splitting.GPT4), 290).values()).containsEntry("tokenizer.ggml.pre", "dbrx");
    }

    @Test
    void aTokenBeforeEveryTextComesBack() throws IOException {
        BytePairTokenizer tokenizer = trained(Splitting.GPT4);
        comesBack(tokenizer.withBeginOfText(tokenizer.endOfText()));
    }

    @Test
    void idsWithoutATokenAreUnusedAndVanishWhenRead() throws IOException {
        GgufMetadata metadata = written(new ByteTokenizer(), 300);
        assertThat(metadata.values().get("tokenizer.ggml.tokens"))
                .asInstanceOf(InstanceOfAssertFactories.LIST)
                .hasSize(300)
                .endsWith("[PAD299]");
        assertThat(Tokenizers.ofGguf(metadata, "test").vocabularySize()).isEqualTo(257);
    }

    @Test
    void aSplittingWithoutANameIsRefused() {
        assertThatThrownBy(() -> written(trained(new Splitting(List.of("\\w+"))), 290))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no name")
                .hasMessageContaining("\\w+");
        assertThatThrownBy(() -> written(trained(Splitting.NONE), 290)).hasMessageContaining("no name");
    }

    @Test
    void whereLlamaCppDiffersIsSaid() {
        var gpt4o = new GgufMetadataWriter();
        assertThat(Tokenizers.toGguf(trained(Splitting.GPT4O), 290, gpt4o))
                .singleElement()
                .asString()
                .contains("beyond ASCII");
        var plain = new GgufMetadataWriter();
        assertThat(Tokenizers.toGguf(trained(Splitting.GPT4), 290, plain)).isEmpty();
    }

    @Test
    void aKeyIsGivenOnce() {
        var metadata = new GgufMetadataWriter();
        metadata.text("a", "b");
        assertThatThrownBy(() -> metadata.flag("a", true)).hasMessageContaining("given twice");
        assertThatThrownBy(() -> metadata.integer("c", -1)).hasMessageContaining("negative");
    }
}
