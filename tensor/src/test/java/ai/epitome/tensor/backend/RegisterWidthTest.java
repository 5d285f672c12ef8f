package ai.epitome.tensor.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The checks of the kernels in Java virtual machines with narrower registers than this one, down to 64 bits, where
/// the Vector API has none left that would hold four floats.
class RegisterWidthTest {
    @ParameterizedTest
    @CsvSource({
        "8, '4 lanes without registers (slow)'",
        "16, 4 lanes",
        "32, 8 lanes",
    })
    void kernelsComputeTheSame(int bytes, String registers) throws IOException, InterruptedException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "-XX:MaxVectorSize=" + bytes,
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                RegisterWidthProbe.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains(registers);
    }
}
