package ai.epitome.train.task;

import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.TrainingConversation;
import ai.epitome.train.chat.Turn;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Tasks without end, to learn from or held out: the same seed and number give the same task.
///
/// An instance (which word to reverse, whatever the phrasing) is either to learn from or held out, by a hash of it: one
/// in ten is held out. Kinds that are not [TaskKind#learned] are taught nowhere; answers to them may be rewarded.
///
/// ```java
/// new TaskMixture(1, false).task(0); // "Reverse the word lamp.", answered by "pmal"
/// ```
///
/// @param seed of the tasks
/// @param heldOut whether these are the tasks that nothing learns from
public record TaskMixture(long seed, boolean heldOut) {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int HELD_OUT_OF = 10;
    /// One conversation in so many has a second exchange.
    private static final int LONGER_OF = 4;
    /// Weight of a kind that is rewarded and not taught.
    private static final int BESIDES = 5;
    /// Draws for a task that was not there yet, before its kind has no more.
    private static final int PATIENCE = 1000;

    /// Task `number`, of a learned kind.
    public Task task(long number) {
        return task(number, List.of());
    }

    /// The same, where kinds that are taught nowhere are among them.
    public Task task(long number, List<TaskKind> besides) {
        Random random = random(number);
        int learned = TaskKind.weights();
        int at = random.nextInt(learned + BESIDES * besides.size());
        if (at >= learned) {
            return draw(besides.get((at - learned) / BESIDES), random);
        }
        int kind = 0;
        while (at >= TaskKind.values()[kind].weight()) {
            at -= TaskKind.values()[kind].weight();
            kind++;
        }
        return draw(TaskKind.values()[kind], random);
    }

    /// Up to `count` tasks of a kind, no request twice; fewer where there are no more.
    ///
    /// @throws IllegalArgumentException if no conversation teaches the kind and these are to learn from
    public List<Task> tasks(TaskKind kind, int count) {
        if (!heldOut && !kind.learned()) {
            throw new IllegalArgumentException(kind.label() + " is taught nowhere: it has no tasks to learn from");
        }
        Random random = random(kind.ordinal());
        Set<String> requests = new HashSet<>();
        List<Task> tasks = new ArrayList<>();
        for (int repeated = 0; tasks.size() < count && repeated < PATIENCE; ) {
            Task task = draw(kind, random);
            boolean isNew = requests.add(task.request());
            repeated = isNew ? 0 : repeated + 1;
            if (isNew) {
                tasks.add(task);
            }
        }
        return tasks;
    }

    /// One exchange, sometimes two, with right answers; it begins with task `2 * number`.
    public TrainingConversation conversation(long number) {
        List<Turn> turns = new ArrayList<>();
        int exchanges = random(-1 - number).nextInt(LONGER_OF) == 0 ? 2 : 1;
        for (int i = 0; i < exchanges; i++) {
            Task task = task(2 * number + i);
            turns.add(new Turn(Speaker.USER, task.request()));
            turns.add(new Turn(Speaker.ASSISTANT, task.answer()));
        }
        return new TrainingConversation(turns);
    }

    /// The first conversations as JSON, one a line: `{"messages": [{"role": "user", "content": ...}, ...]}`.
    public String jsonLines(int count) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            ObjectNode line = JSON.createObjectNode();
            ArrayNode messages = line.putArray("messages");
            for (Turn turn : conversation(i).turns()) {
                messages.addObject().put("role", turn.speaker().role()).put("content", turn.text());
            }
            lines.append(JSON.writeValueAsString(line)).append('\n');
        }
        return lines.toString();
    }

    private Task draw(TaskKind kind, Random random) {
        Material material = new Material(random);
        Task task = kind.draw(material);
        while (isHeldOut(task) != heldOut) {
            task = kind.draw(material);
        }
        return task;
    }

    private static boolean isHeldOut(Task task) {
        CRC32 sum = new CRC32();
        sum.update((task.kind() + " " + task.instance()).getBytes(StandardCharsets.UTF_8));
        return sum.getValue() % HELD_OUT_OF == 0;
    }

    private Random random(long number) {
        long z = seed * 0x9E3779B97F4A7C15L + number * 0xD1342543DE82EF95L + (heldOut ? 1 : 0);
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return new Random(z ^ (z >>> 31));
    }
}
