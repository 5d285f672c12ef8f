package ai.epitome.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Processor time that this process has taken, in nanoseconds, by who took it. Linux tells that of every thread, the
/// virtual machine's own as well; elsewhere all is the service's.
///
/// @param engine of the engine's thread and the kernel threads, which count as busy while they wait for each other
/// @param machine of the compiler and the collector
/// @param clients of the threads of a benchmark's clients
/// @param service of all others, above all those that carry the virtual threads which serve requests
record CpuTime(long engine, long machine, long clients, long service) {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    private static final Path TASKS = Path.of("/proc/self/task");
    private static final List<String> ENGINE = List.of("epitome-engine", "epitome-kernel");
    private static final List<String> MACHINE = List.of("C1 Comp", "C2 Comp", "GC ", "VM ", "G1 ");

    /// Until now.
    static CpuTime now(long clients) {
        try {
            long engine = of(ENGINE);
            long machine = of(MACHINE);
            return new CpuTime(engine, machine, clients, PROCESS.getProcessCpuTime() - engine - machine - clients);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Of threads whose names begin so.
    private static long of(List<String> names) throws IOException {
        if (!Files.isDirectory(TASKS)) {
            return 0;
        }
        long nanos = 0;
        try (Stream<Path> tasks = Files.list(TASKS)) {
            for (Path task : (Iterable<Path>) tasks::iterator) {
                try {
                    if (names.stream().anyMatch(read(task, "comm")::startsWith)) {
                        nanos += Long.parseLong(read(task, "schedstat").split(" ")[0]);
                    }
                } catch (NoSuchFileException e) {
                    // It has ended meanwhile.
                }
            }
        }
        return nanos;
    }

    private static String read(Path task, String file) throws IOException {
        return Files.readString(task.resolve(file));
    }

    static long ofThisThread() {
        return THREADS.getCurrentThreadCpuTime();
    }

    CpuTime since(CpuTime before) {
        return new CpuTime(
                engine - before.engine, machine - before.machine, clients - before.clients, service - before.service);
    }
}
