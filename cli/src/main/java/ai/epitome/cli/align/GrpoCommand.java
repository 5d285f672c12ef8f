package ai.epitome.cli.align;

import ai.epitome.train.policy.PolicySettings.Method;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `epitome grpo`: a model learns from rewards.
@Command(
        name = "grpo",
        description = {
            "Reinforcement learning by GRPO: several answers to each prompt are compared with each other.",
            "In a folder where a run has begun it goes on from the newest checkpoint."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome grpo models/shakespeare-chat -o models/grpo --iterations 60"})
public final class GrpoCommand implements Callable<Integer> {
    @Mixin
    private PolicyOptions options;

    @Override
    public Integer call() throws IOException {
        return options.run(Method.GRPO);
    }
}
