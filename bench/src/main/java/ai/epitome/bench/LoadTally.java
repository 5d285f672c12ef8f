package ai.epitome.bench;

import ai.epitome.bench.ApiClient.Answer;
import ai.epitome.bench.ApiClient.Usage;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What the clients of a load have seen. It does not grow with the number of answers, but for the names of requests
/// that were left: heap is measured here.
final class LoadTally {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final int MOST_MESSAGES = 5;
    /// 2^64 / golden ratio.
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private final Map<Integer, Long> statuses = new TreeMap<>();
    private final Set<String> left = new HashSet<>();
    private long answered;
    private long prompt;
    private long cached;
    private long completion;
    private long fingerprint;
    private long compared;
    private long different;
    private long failed;
    private long messages;
    private long sampledCompletion;
    private long sampledNanos = System.nanoTime();

    /// A sum over requests that is the same in any order, and hardly for other requests.
    static long fingerprint(String id, long prompt, long cached, long completion) {
        long hash = id.hashCode() * MIX + prompt;
        hash = (hash ^ hash >>> 29) * MIX + cached;
        hash = (hash ^ hash >>> 31) * MIX + completion;
        return (hash ^ hash >>> 27) * MIX;
    }

    synchronized void good(Answer answer) {
        count(answer.status());
        if (answer.status() == 200) {
            Usage usage = answer.usage().orElseThrow();
            answered++;
            prompt += usage.prompt();
            cached += usage.cached();
            completion += usage.completion();
            fingerprint += fingerprint(answer.id(), usage.prompt(), usage.cached(), usage.completion());
        }
    }

    synchronized void compare(Answer answer, Answer alone, String body) {
        if (answer.status() != 200) {
            return;
        }
        compared++;
        if (!answer.text().equals(alone.text())
                || answer.usage().orElseThrow().completion()
                        != alone.usage().orElseThrow().completion()) {
            different++;
            message("other than alone: " + body + "\n  alone: " + alone.text() + "\n  now:   " + answer.text());
        }
    }

    synchronized void left(Answer answer) {
        if (answer.status() == 200) {
            left.add(answer.id());
        } else {
            count(answer.status());
        }
    }

    synchronized void garbage(int status) {
        count(status);
    }

    synchronized void failed(IOException e) {
        failed++;
        message("no proper answer: " + e);
    }

    private void count(int status) {
        statuses.merge(status, 1L, Long::sum);
    }

    private void message(String text) {
        if (messages++ < MOST_MESSAGES) {
            System.out.println(text);
        }
    }

    long answered() {
        return answered;
    }

    long prompt() {
        return prompt;
    }

    long cached() {
        return cached;
    }

    long completion() {
        return completion;
    }

    long fingerprint() {
        return fingerprint;
    }

    boolean wasLeft(String id) {
        return left.contains(id);
    }

    int leftCount() {
        return left.size();
    }

    /// Memory after a collection, of the whole process: clients are part of it.
    synchronized void sample(double second) {
        System.gc();
        var memory = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        long now = System.nanoTime();
        System.out.printf(
                Locale.ROOT,
                "%8.0f %10d %10.0f %10.1f %12.1f %8d%n",
                second,
                answered,
                (completion - sampledCompletion) * 1e9 / (now - sampledNanos),
                memory.getUsed() / 1e6,
                resident() / 1e6,
                ManagementFactory.getThreadMXBean().getThreadCount());
        sampledNanos = now;
        sampledCompletion = completion;
    }

    /// Bytes that the process has in memory; 0 where the system does not say.
    private static long resident() {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }

    synchronized void print() {
        long errors = statuses.entrySet().stream()
                .filter(entry -> entry.getKey() >= 500)
                .mapToLong(Map.Entry::getValue)
                .sum();
        System.out.println("statuses (0: closed without one): " + statuses + ", left by their clients: " + left.size());
        verdict("no status 5xx", errors == 0, errors);
        verdict("no answer broken off or refused", failed == 0, failed);
        verdict(compared + " answers are what they are alone", different == 0, different);
    }

    static void verdict(String what, boolean holds, Object found) {
        System.out.println((holds ? "ok      " : "FAILED  ") + what + (holds ? "" : ": " + found));
    }
}
