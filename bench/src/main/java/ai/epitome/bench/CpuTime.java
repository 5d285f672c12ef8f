package ai.epitome.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;

/// Processor time that this process has taken, in nanoseconds, by who took it.
///
/// @param engine of the engine's thread and the kernel threads, which count as busy while they wait for each other
/// @param clients of the threads of a benchmark's clients
/// @param rest of all others: the virtual threads that serve requests, the collector, the compiler
record CpuTime(long engine, long clients, long rest) {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    /// Until now.
    static CpuTime now(long clients) {
        long engine = Arrays.stream(THREADS.getThreadInfo(THREADS.getAllThreadIds()))
                .filter(CpuTime::computes)
                .mapToLong(thread -> Math.max(0, THREADS.getThreadCpuTime(thread.getThreadId())))
                .sum();
        return new CpuTime(engine, clients, PROCESS.getProcessCpuTime() - engine - clients);
    }

    private static boolean computes(ThreadInfo thread) {
        return thread != null
                && (thread.getThreadName().equals("epitome-engine")
                        || thread.getThreadName().startsWith("epitome-kernel-"));
    }

    static long ofThisThread() {
        return THREADS.getCurrentThreadCpuTime();
    }

    CpuTime since(CpuTime before) {
        return new CpuTime(engine - before.engine, clients - before.clients, rest - before.rest);
    }
}
