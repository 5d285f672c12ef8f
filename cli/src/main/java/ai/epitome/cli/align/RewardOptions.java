package ai.epitome.cli.align;

import ai.epitome.cli.option.Numbers;
import ai.epitome.model.LoadedModel;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.policy.Prompts;
import ai.epitome.train.policy.Reward;
import ai.epitome.train.prompt.PromptReader;
import ai.epitome.train.reward.RewardModel;
import ai.epitome.train.task.TaskKind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/// What is asked, and what answers are worth.
final class RewardOptions {
    @Option(
            names = "--reward",
            paramLabel = "REWARD",
            description = "What answers are worth: `tasks` (1 for a right answer to a bundled task), the folder of a"
                    + " reward model, or an address (http://...) that gets {\"prompts\": [...], \"answers\": [...]}"
                    + " and gives {\"rewards\": [...]} (default: ${DEFAULT-VALUE}).")
    private String reward = "tasks";

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            arity = "1..*",
            description = "What is asked, a JSON object a line: `prompt`, a text to go on from or a list of messages;"
                    + " `messages`, whose last answer is left out; or `text`, of which the beginning is taken (default:"
                    + " the bundled tasks).")
    private List<Path> files = List.of();

    @Option(
            names = "--besides",
            paramLabel = "KIND",
            split = ",",
            description =
                    "Kinds of bundled task to ask besides those that conversations teach, which the model can only"
                            + " learn from rewards: spell_backwards, longest_of_three.")
    private List<TaskKind> besides = List.of();

    @Option(
            names = "--prompt-tokens",
            paramLabel = "N",
            description = "Tokens of the beginning of a `text` (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int beginning = PromptReader.BEGINNING;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens of an answer (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int mostTokens = 64;

    int mostTokens() {
        return mostTokens;
    }

    /// @param model that answers
    Reward reward(LoadedModel model, Backend backend) throws IOException {
        if (reward.equals("tasks")) {
            if (!files.isEmpty()) {
                throw new IllegalArgumentException(
                        "--reward tasks checks answers to the bundled tasks; leave --prompts out, or give another reward");
            }
            return new Reward.OfTasks();
        }
        if (reward.startsWith("http://") || reward.startsWith("https://")) {
            return new Reward.OfEndpoint(URI.create(reward));
        }
        return Reward.OfModel.of(reward, RewardModel.load(Path.of(reward), backend), tokenizer(model));
    }

    private static Tokenizer tokenizer(LoadedModel model) {
        return model.tokenizer()
                .orElseThrow(() -> new IllegalArgumentException(
                        model.id() + " has no tokenizer; put the one that it was trained with there"));
    }

    Prompts prompts(LoadedModel model, long seed) throws IOException {
        if (files.isEmpty()) {
            besides.stream().filter(TaskKind::learned).findFirst().ifPresent(kind -> {
                throw new IllegalArgumentException(
                        kind.label() + " is asked anyway; --besides takes kinds that no conversation teaches");
            });
            return new Prompts.OfTasks(seed, model.chat(), besides);
        }
        if (!besides.isEmpty()) {
            throw new IllegalArgumentException("--besides is of the bundled tasks, and --prompts asks others");
        }
        Tokenizer tokenizer = tokenizer(model);
        int longest = model.transformer().config().context() - mostTokens;
        PromptReader reader = new PromptReader(tokenizer, model.chat(), beginning);
        return Prompts.Listed.of(reader.read(Corpus.of(files), Integer.MAX_VALUE), seed, longest);
    }
}
