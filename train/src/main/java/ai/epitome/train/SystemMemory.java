package ai.epitome.train;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// How much memory this process may still take: what the system has free or can free, and what the control groups
/// (containers, systemd) around the process leave it.
public final class SystemMemory {
    private SystemMemory() {}

    /// Available bytes. On systems without `/proc/meminfo` all memory there is: what others call free leaves out what
    /// they would free, and a run that fits must not be refused.
    public static long available() {
        return available(Path.of("/"));
    }

    /// The same under another root, for tests.
    static long available(Path root) {
        long available = meminfo(root.resolve("proc/meminfo"));
        if (available < 0) {
            return ManagementFactory.getOperatingSystemMXBean()
                            instanceof com.sun.management.OperatingSystemMXBean system
                    ? system.getTotalMemorySize()
                    : Long.MAX_VALUE;
        }
        return Math.min(available, controlGroups(root));
    }

    private static long meminfo(Path file) {
        for (String line : lines(file)) {
            if (line.startsWith("MemAvailable:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        return -1;
    }

    /// The tightest limit of the process's own group and those above it.
    private static long controlGroups(Path root) {
        long least = Long.MAX_VALUE;
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            // "0::/path" is version 2; "9:memory:/path" version 1.
            String[] parts = line.split(":", 3);
            if (parts.length < 3) {
                continue;
            }
            boolean second = parts[0].equals("0") && parts[1].isEmpty();
            if (second || List.of(parts[1].split(",")).contains("memory")) {
                Path base = root.resolve(second ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
                for (Path group = base.resolve(parts[2].substring(1));
                        group != null && group.startsWith(base);
                        group = group.getParent()) {
                    least = Math.min(least, second ? unified(group) : classic(group));
                }
            }
        }
        return least;
    }

    private static long unified(Path group) {
        return left(
                number(group.resolve("memory.max")),
                number(group.resolve("memory.current")),
                statistic(group, "inactive_file"));
    }

    private static long classic(Path group) {
        return left(
                number(group.resolve("memory.limit_in_bytes")),
                number(group.resolve("memory.usage_in_bytes")),
                statistic(group, "total_inactive_file"));
    }

    /// File pages that nobody uses are freed when memory is short.
    private static long left(long limit, long used, long reclaimable) {
        return limit < 0 || used < 0 ? Long.MAX_VALUE : Math.max(0, limit - used + Math.max(0, reclaimable));
    }

    /// A number in a file of its own, or -1 where there is none ("max").
    private static long number(Path file) {
        List<String> lines = lines(file);
        return lines.isEmpty() || !lines.getFirst().strip().matches("\\d{1,18}")
                ? -1
                : Long.parseLong(lines.getFirst().strip());
    }

    private static long statistic(Path group, String name) {
        for (String line : lines(group.resolve("memory.stat"))) {
            if (line.startsWith(name + " ")) {
                return Long.parseLong(line.substring(name.length() + 1).strip());
            }
        }
        return 0;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            return List.of(); // other systems have other files, and no limit is the same as an unreadable one
        }
    }
}
