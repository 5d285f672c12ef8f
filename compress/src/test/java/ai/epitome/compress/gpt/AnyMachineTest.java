package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Java virtual machines with narrower registers, without the Vector API and without a compiler predict the same.
class AnyMachineTest {
    private static final String VECTOR = "--add-modules jdk.incubator.vector ";

    @ParameterizedTest
    @CsvSource({
        VECTOR + ", Vector API",
        VECTOR + "-XX:UseAVX=2, 8 lanes",
        VECTOR + "-XX:UseAVX=1, lanes",
        VECTOR + "-XX:MaxVectorSize=8, single elements",
        VECTOR + "-Xint, single elements",
        "-XX:UseAVX=2, single elements",
        "-Xint, single elements",
        "-XX:TieredStopAtLevel=1, single elements",
    })
    void sameHash(String flags, String kernels) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(flags.strip().split(" ")));
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(ExactProbe.class.getName());
        command.add("2");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains(kernels);
        try (Workers one = new Workers(1)) {
            assertThat(output.strip()).endsWith(ExactProbe.hash(one, ExactKernels.best()));
        }
    }
}
