package ai.epitome.train.report;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// What a run was made on.
///
/// @param cpu the processor's name
/// @param cores how many the JVM may use
/// @param memory bytes of memory
/// @param system the operating system
/// @param jvm the Java virtual machine
/// @param kernels which kernels and threads do the computing, in one line
public record Machine(String cpu, int cores, long memory, String system, String jvm, String kernels) {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    /// The machine that this process runs on.
    ///
    /// @param kernels the line that the tensor engine prints at its start
    public static Machine here(String kernels) {
        long memory = ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : 0;
        return new Machine(
                cpuName(),
                Runtime.getRuntime().availableProcessors(),
                memory,
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                System.getProperty("java.vm.name") + " " + Runtime.version(),
                kernels);
    }

    private static String cpuName() {
        String architecture = System.getProperty("os.arch");
        if (!Files.isReadable(CPU_INFO)) {
            return architecture;
        }
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(architecture);
        } catch (IOException e) {
            return architecture;
        }
    }
}
