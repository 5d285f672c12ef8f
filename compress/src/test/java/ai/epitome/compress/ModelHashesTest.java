package ai.epitome.compress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelHashesTest {
    @TempDir
    Path folder;

    private String put(String name, String content) throws IOException {
        Files.writeString(folder.resolve(name), content);
        return ModelHashes.of(folder).model();
    }

    @Test
    void everythingThatPredictsCountsAndNothingElse() throws IOException {
        List<String> hashes = new ArrayList<>();
        hashes.add(put("config.json", "{}"));
        hashes.add(put("model-1.safetensors", "ab"));
        hashes.add(put("model-2.safetensors", "c"));
        hashes.add(put("model-2.safetensors", "d"));
        hashes.add(put("model-1.safetensors", "abd")); // the same bytes in a row, cut elsewhere
        hashes.add(put("model-2.safetensors", ""));
        hashes.add(put("model.safetensors.index.json", "{}"));
        hashes.add(put("config.json", "{ }"));
        assertThat(new HashSet<>(hashes)).hasSameSizeAs(hashes);
        assertThat(put("log.jsonl", "1")).isEqualTo(hashes.getLast());
        assertThat(put("optimizer.safetensors", "1")).isEqualTo(hashes.getLast());
        assertThat(put("tokenizer.json", "{}")).isEqualTo(hashes.getLast());
    }

    @Test
    void theTokenizerHasItsOwn() throws IOException {
        String none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assertThat(ModelHashes.of(folder).tokenizer()).isEqualTo(none);
        put("tokenizer.json", "abc");
        assertThat(ModelHashes.of(folder).tokenizer())
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
