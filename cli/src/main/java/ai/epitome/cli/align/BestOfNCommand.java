package ai.epitome.cli.align;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.WholeFile;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.policy.BestOfN;
import ai.epitome.train.policy.BestOfN.Choice;
import ai.epitome.train.policy.Prompts;
import ai.epitome.train.policy.Reward;
import ai.epitome.train.prompt.Prompt;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `epitome best-of-n`: rejection sampling.
@Command(
        name = "best-of-n",
        description = "Let a model answer each prompt several times, and keep the answer with the highest reward: to"
                + " see what a reward can do, or to fine-tune on (`sft` reads the file).",
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome best-of-n models/chat -n 8 --count 1000 --least 1 -o chosen.jsonl"})
public final class BestOfNCommand implements Callable<Integer> {
    /// Prompts whose answers are under way at a time.
    private static final int PORTION = 64;

    @Parameters(index = "0", paramLabel = "MODEL", description = "Model: a folder, a GGUF file, or one of llama2.c.")
    private Path source;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "Where the chosen answers go, a conversation a line, or `prompt` and `completion` where the"
                    + " prompt is a text to go on from.")
    private Path file;

    @Option(
            names = "-n",
            paramLabel = "N",
            description = "Answers to each prompt (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int answers = 8;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Prompts (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int count = 256;

    @Option(names = "--least", paramLabel = "REWARD", description = "Leave out answers that are worth less.")
    private double least = Double.NEGATIVE_INFINITY;

    @Option(names = "--seed", paramLabel = "SEED", description = "Seed of prompts and answers (default: 1).")
    private long seed = 1;

    @Mixin
    private RewardOptions rewards;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        Backend backend = kernels.backend();
        System.err.println(backend.describe());
        try (LoadedModel model = LoadedModel.open(source);
                Reward reward = rewards.reward(model, backend)) {
            Prompts prompts = rewards.prompts(model, seed);
            BestOfN choice = new BestOfN(reward, answers, rewards.mostTokens());
            TextGenerator generator = model.generator(backend);
            WholeFile.write(file, out -> choose(choice, generator, prompts, out));
            return 0;
        } finally {
            backend.workers().close();
        }
    }

    private void choose(BestOfN choice, TextGenerator generator, Prompts prompts, OutputStream out) throws IOException {
        double best = 0;
        double mean = 0;
        int kept = 0;
        for (int from = 0; from < count; from += PORTION) {
            List<Prompt> asked = LongStream.range(from, Math.min(count, from + PORTION))
                    .mapToObj(prompts::at)
                    .toList();
            for (Choice chosen : choice.choose(generator, asked, seed + from)) {
                best += chosen.best() / count;
                mean += chosen.mean() / count;
                if (chosen.best() >= least && !chosen.reply().text().isBlank()) {
                    kept++;
                    out.write((Json.write(line(chosen)) + "\n").getBytes(StandardCharsets.UTF_8));
                }
            }
        }
        System.err.printf(
                Locale.ROOT,
                "%,d prompts: mean reward %.4f, of the best of %d %.4f, at most %.3f nats an answer from the model; %,d kept: %s%n",
                count,
                mean,
                answers,
                best,
                BestOfN.divergence(answers),
                kept,
                file);
    }

    private static ObjectNode line(Choice chosen) {
        ObjectNode line = Json.MAPPER.createObjectNode();
        if (chosen.reply().prompt().goesOn()) {
            line.put("prompt", chosen.reply().prompt().text())
                    .put("completion", chosen.reply().text());
            return line.put("reward", chosen.best()).put("mean_reward", chosen.mean());
        }
        ArrayNode messages = chosen.reply().prompt().messages();
        line.set("messages", messages);
        messages.addObject()
                .put("role", "assistant")
                .put("content", chosen.reply().text());
        return line.put("reward", chosen.best()).put("mean_reward", chosen.mean());
    }
}
