package ai.epitome.train.task;

import ai.epitome.model.generation.Generation;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.Conversation;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/// How a model does on tasks of one kind.
///
/// @param kind which
/// @param answers to all tasks that were asked
public record TaskScore(TaskKind kind, List<Answer> answers) {
    /// Tokens of an answer: right ones are shorter in any vocabulary.
    private static final int MOST_TOKENS = 80;

    /// What a model said.
    public record Answer(Task task, String text) {
        public boolean right() {
            return task.check().passes(text);
        }
    }

    /// The share of right answers.
    public double accuracy() {
        return answers.isEmpty() ? Double.NaN : (double) right() / answers.size();
    }

    public long right() {
        return answers.stream().filter(Answer::right).count();
    }

    /// Asks all tasks, each in a conversation of its own; the likeliest token always. The engine answers many at once.
    public static List<Answer> ask(TextGenerator model, ChatFormat format, List<Task> tasks) {
        List<Generation> running = model.submit(
                tasks.stream().map(task -> request(model, format, task)).toList(), () -> false);
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < tasks.size(); i++) {
            answers.add(new Answer(tasks.get(i), running.get(i).result().text()));
        }
        return answers;
    }

    private static GenerationRequest request(TextGenerator model, ChatFormat format, Task task) {
        int[] prompt = format.encode(new Conversation(
                List.of(new JsonMapper().createObjectNode().put("role", "user").put("content", task.request()))));
        int room = Math.max(0, model.contextLength() - prompt.length);
        return new GenerationRequest(prompt, Math.min(MOST_TOKENS, room), Sampling.GREEDY, format.stops(), 0);
    }

    /// All kinds, held out, up to `count` tasks each.
    public static List<TaskScore> of(TextGenerator model, ChatFormat format, TaskMixture mixture, int count) {
        List<TaskScore> scores = new ArrayList<>();
        for (TaskKind kind : TaskKind.values()) {
            if (mixture.heldOut() || kind.learned()) {
                scores.add(new TaskScore(kind, ask(model, format, mixture.tasks(kind, count))));
            }
        }
        return scores;
    }
}
