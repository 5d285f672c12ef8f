package ai.epitome.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.DType;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryTest {
    @TempDir
    Path root;

    @Test
    void refusesBeforeTheRunAndSaysWhatIsNeeded() {
        TransformerConfig model = TransformerConfig.ofDepth(24, 32_768, 1024);
        MemoryNeed need = MemoryNeed.of(model, TrainingConfig.ofSteps(10, 64, 1024), DType.BF16);
        assertThatThrownBy(() -> need.requireFits(4_000_000_000L))
                .isInstanceOf(TrainingException.class)
                .hasMessageContaining("needs about %.2f GB".formatted(need.total() / 1e9))
                .hasMessageContaining("4.00 GB are available")
                .hasMessageContaining("activations")
                .hasMessageContaining("fewer batch rows");
        need.requireFits(need.total());
    }

    @Test
    void countsEveryCopyOfTheWeights() {
        TransformerConfig model = TransformerConfig.ofDepth(4, 257, 256);
        long parameters = model.parameters();
        TrainingConfig adamW = TrainingConfig.ofSteps(10, 8, 256);
        MemoryNeed plain = MemoryNeed.of(model, adamW, DType.F32);
        assertThat(plain.weights()).isEqualTo(4 * parameters);
        assertThat(plain.optimizer()).isEqualTo(8 * parameters);
        MemoryNeed more = MemoryNeed.of(
                model,
                adamW.with(c -> {
                    c.optimizer = OptimizerConfig.muon(0.02, 1e-3, 0);
                    c.average = 0.99;
                    c.batchRows = 16;
                }),
                DType.BF16);
        assertThat(more.weights()).isEqualTo(6 * parameters);
        assertThat(more.optimizer()).isBetween(4 * parameters, 8 * parameters);
        assertThat(more.average()).isEqualTo(4 * parameters);
        assertThat(more.activations()).isGreaterThan(plain.activations());
    }

    @Test
    void theTightestControlGroupCounts() throws IOException {
        write("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 8000 kB\n");
        assertThat(SystemMemory.available(root)).isEqualTo(8000 * 1024);
        write("proc/self/cgroup", "0::/outer/inner\n");
        write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
        write("sys/fs/cgroup/outer/inner/memory.current", "1000\n");
        assertThat(SystemMemory.available(root)).isEqualTo(8000 * 1024);
        write("sys/fs/cgroup/outer/memory.max", "5000\n");
        write("sys/fs/cgroup/outer/memory.current", "3500\n");
        write("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 300\n");
        assertThat(SystemMemory.available(root)).isEqualTo(1800);
        write("proc/self/cgroup", "9:memory,pids:/job\n0::/\n");
        write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "700\n");
        write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "200\n");
        assertThat(SystemMemory.available(root)).isEqualTo(500);
    }

    @Test
    void thisMachineHasSome() {
        assertThat(SystemMemory.available()).isGreaterThan(10L << 20);
    }

    private void write(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
