package ai.epitome.tensor.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.tensor.DType;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class BackendTest {
    @Test
    void javaIsAlwaysThereAndPrefersF32() {
        Backend backend = Backend.of(Backend.Kernels.JAVA, Backend.Precision.AUTO, 1);
        assertThat(backend.product()).isInstanceOf(VectorProduct.class);
        assertThat(backend.compute()).isEqualTo(DType.F32);
        assertThat(backend.describe()).startsWith("kernels: Java Vector API").contains("fp32 products, 1 thread");
    }

    @Test
    void precisionIsAsAskedFor() {
        Backend backend = Backend.of(Backend.Kernels.JAVA, Backend.Precision.BF16, 2);
        assertThat(backend.compute()).isEqualTo(DType.BF16);
        assertThat(backend.describe()).contains("bf16 products with fp32 sums, 2 threads");
        backend.workers().close();
    }

    @Test
    void exactKernelsGiveTheSameBitsInAnyBatch() {
        Backend backend = Backend.of(Backend.Kernels.EXACT, Backend.Precision.AUTO, 1);
        assertThat(backend.product()).isInstanceOf(InvariantProduct.class);
        assertThat(backend.compute()).isEqualTo(DType.F32);
    }

    @Test
    void aFallbackIsNeverSilent() {
        Backend best = Backend.best(1);
        if (OneDnnProduct.load() instanceof Loading.Unavailable(String reason)) {
            assertThat(best.describe()).contains("oneDNN does not run here: " + reason);
            assertThatThrownBy(() -> Backend.of(Backend.Kernels.ONEDNN, Backend.Precision.AUTO, 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(reason);
        } else {
            assertThat(best.describe()).startsWith("kernels: oneDNN 3.").doesNotContain("not run");
            boolean amx = AmxProduct.load() instanceof Loading.Loaded<?>;
            assertThat(best.describe()).contains(amx ? "and own AMX code" : "no AMX code: ");
        }
    }

    @Test
    void bf16IsChosenWhereTheCpuMultipliesIt() {
        Assumptions.assumeTrue(
                OneDnnProduct.load() instanceof Loading.Loaded<?>, "oneDNN does not run on this machine");
        var loaded = (Loading.Loaded<OneDnnProduct>) OneDnnProduct.load();
        boolean fast = loaded.product().multipliesBf16() || AmxProduct.load() instanceof Loading.Loaded<?>;
        DType expected = fast ? DType.BF16 : DType.F32;
        assertThat(Backend.best(1).compute()).isEqualTo(expected);
    }
}
