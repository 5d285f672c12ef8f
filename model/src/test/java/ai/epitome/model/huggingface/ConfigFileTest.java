package ai.epitome.model.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ConfigFileTest {
    private static final String SIZES = """
            "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96,
            "vocab_size": 100, "max_position_embeddings": 256""";

    @TempDir
    Path folder;

    private TransformerConfig read(String json) throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(file, json);
        return ConfigFile.read(file);
    }

    private static TransformerConfig of(Layout layout) {
        TransformerConfig base = TransformerConfig.ofDepth(2, 300, 128);
        return switch (layout) {
            case QWEN3 -> base;
            case QWEN2 ->
                base.with(c -> {
                    c.queryKeyNorm = false;
                    c.biases = Biases.QUERY_KEY_VALUE;
                    c.tiedHead = false;
                });
            case LLAMA ->
                base.with(c -> {
                    c.queryKeyNorm = false;
                    c.keyValueHeads = 1;
                    c.position = new Position.Rotary(500_000, new RotaryScaling.Llama3(8, 1, 4, 64));
                });
            case MISTRAL ->
                base.with(c -> {
                    c.queryKeyNorm = false;
                    c.window = 32;
                });
            case GPT2 ->
                base.with(c -> {
                    c.queryKeyNorm = false;
                    c.norm = Norm.LAYER;
                    c.normEpsilon = 1e-5f;
                    c.position = new Position.Learned();
                    c.activation = Activation.GELU;
                    c.biases = Biases.ALL;
                });
            case EPITOME ->
                base.with(c -> {
                    c.activation = Activation.RELU_SQUARED;
                    c.biases = Biases.ATTENTION;
                    c.window = 16;
                });
        };
    }

    @ParameterizedTest
    @EnumSource
    void everyFamilyComesBack(Layout layout) throws IOException {
        TransformerConfig config = of(layout);
        assertThat(Layout.of(config)).isEqualTo(layout);
        String json = ConfigFile.write(config, GenerationDefaults.of(OptionalInt.of(5)), DType.F32);
        assertThat(json).contains("\"model_type\" : \"" + layout.modelType() + "\"", "\"eos_token_id\" : 5");
        assertThat(read(json)).isEqualTo(config);
    }

    @Test
    void bothSpellingsOfRopeAreRead() throws IOException {
        String older =
                "{\"model_type\":\"llama\",%s,\"rope_theta\":500000,\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}}";
        String newer =
                "{\"model_type\":\"llama\",%s,\"rope_parameters\":{\"rope_theta\":500000,\"rope_type\":\"linear\",\"factor\":4}}";
        assertThat(read(older.formatted(SIZES)).position())
                .isEqualTo(new Position.Rotary(500_000, new RotaryScaling.Linear(4)));
        assertThat(read(newer.formatted(SIZES))).isEqualTo(read(older.formatted(SIZES)));
    }

    @Test
    void whatAFileLeavesOutIsTransformersDefault() throws IOException {
        TransformerConfig llama = read("{\"model_type\":\"llama\",%s}".formatted(SIZES));
        assertThat(llama.headDimension()).isEqualTo(16);
        assertThat(llama.keyValueHeads()).isEqualTo(4);
        assertThat(llama.tiedHead()).isFalse();
        assertThat(read("{\"model_type\":\"qwen3\",%s}".formatted(SIZES)).headDimension())
                .isEqualTo(128);
        assertThat(read("{\"model_type\":\"mistral\",%s}".formatted(SIZES)).window())
                .isEqualTo(4096);
        assertThat(read("{\"model_type\":\"mistral\",%s,\"sliding_window\":null}".formatted(SIZES))
                        .window())
                .isEqualTo(Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {'model_type':'bert'} | `model_type` is "bert"
            {} | `model_type` is missing
            {'model_type':'llama'} | `num_attention_heads` is missing
            {'model_type':'llama',SIZES,'hidden_act':'gelu'} | `hidden_act` is "gelu"
            {'model_type':'llama',SIZES,'rms_norm_eps':'small'} | `rms_norm_eps` must be a number, found "small"
            {'model_type':'llama',SIZES,'num_key_value_heads':3} | 4 query heads cannot share 3
            {'model_type':'llama',SIZES,'num_key_value_heads':0} | key-value heads must be at least 1
            {'model_type':'llama',SIZES,'head_dim':15} | the head dimension must be even
            {'model_type':'llama',SIZES,'rope_scaling':{'rope_type':'dynamic','factor':4}} | rope scaling "dynamic"
            {'model_type':'llama',SIZES,'rope_scaling':{'rope_type':'yarn','factor':4,'truncate':false}} | `truncate` false
            {'model_type':'llama',SIZES,'rope_scaling':{'rope_type':'yarn','factor':4,'beta_slow':40}} | 0 < slow < fast
            {'model_type':'llama',SIZES,'partial_rotary_factor':0.5} | partial_rotary_factor
            {'model_type':'llama',SIZES,'rope_theta':-1} | rope theta must be positive
            {'model_type':'qwen2',SIZES,'use_sliding_window':true,'sliding_window':8,'max_window_layers':1} | mixing layers
            {'model_type':'gpt2','n_embd':10,'n_head':3} | not a multiple
            {'model_type':'llama',SIZES,'vocab_size':5} | Duplicate
            [1] | expected a JSON object, found array
            nonsense | not valid JSON
            """)
    void whatCannotBeComputedIsRefused(String json, String message) {
        String text = json.replace("SIZES", SIZES.replace("\"", "'")).replace('\'', '"');
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageStartingWith(folder.resolve("config.json") + ": ")
                .hasMessageContaining(message);
    }

    @Test
    void llama3ScalingKeepsFastPairsAndSlowsSlowOnes() {
        float[] plain = new RotaryScaling.None().inverseFrequencies(500_000, 128);
        float[] scaled = new RotaryScaling.Llama3(8, 1, 4, 8192).inverseFrequencies(500_000, 128);
        assertThat(plain[0]).isEqualTo(1f);
        assertThat(scaled[0]).isEqualTo(1f);
        assertThat(scaled[63]).isCloseTo(plain[63] / 8, within(1e-9f));
        // pair 32 turns once in 2 pi sqrt(500000) = 4443 positions, 1.8438 times in 8192: (1.8438 - 1) / 3 = 0.2813 is
        // kept
        assertThat((double) scaled[32] / plain[32]).isCloseTo(0.2813 + 0.7187 / 8, within(1e-4));
    }

    /// Heads of 16, a context of 64 stretched by 4: pairs turn 10.2, 5.7, 3.2, 1.8, 1.0, 0.6 ... times in
    /// 64 positions, so 6 turns lie before pair 1 and one lies before pair 5.
    @Test
    void yarnKeepsFastPairsSlowsSlowOnesAndMakesAllLonger() {
        RotaryScaling yarn = new RotaryScaling.Yarn(4, 6, 1, 64, RotaryScaling.Yarn.magnitude(4));
        float[] plain = new RotaryScaling.None().inverseFrequencies(100, 16);
        float[] scaled = yarn.inverseFrequencies(100, 16);
        double[] kept = {1, 0.8, 0.6, 0.4, 0.2, 0, 0, 0};
        for (int i = 0; i < kept.length; i++) {
            assertThat((double) scaled[i] / plain[i])
                    .as("pair %d", i)
                    .isCloseTo(kept[i] + (1 - kept[i]) / 4, within(1e-6));
        }
        assertThat(yarn.scale()).isCloseTo(1.1386294f, within(1e-6f));
    }

    @Test
    void flopsFollowTheirFormula() {
        TransformerConfig c = TransformerConfig.ofDepth(3, 500, 64);
        assertThat(c.forwardFlopsPerToken(64)).isEqualTo(2.0 * c.matrixParameters() + 4.0 * 3 * 192 * 32.5);
        assertThat(c.with(d -> d.window = 1).forwardFlopsPerToken(64))
                .isEqualTo(2.0 * c.matrixParameters() + 4.0 * 3 * 192);
        assertThat(c.trainingFlopsPerToken(64)).isEqualTo(3 * c.forwardFlopsPerToken(64));
    }
}
