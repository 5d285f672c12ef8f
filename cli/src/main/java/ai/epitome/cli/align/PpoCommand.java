package ai.epitome.cli.align;

import ai.epitome.train.policy.PolicySettings.Method;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `epitome ppo`: a model learns from rewards.
@Command(
        name = "ppo",
        description = {
            "Reinforcement learning by PPO: the model answers, a reward judges, a value head says what was to be expected.",
            "In a folder where a run has begun it goes on from the newest checkpoint."
        },
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example: epitome ppo models/chat -o models/ppo --reward models/reward --prompts prompts.jsonl --kl-target 6"
        })
public final class PpoCommand implements Callable<Integer> {
    @Mixin
    private PolicyOptions options;

    @Override
    public Integer call() throws IOException {
        return options.run(Method.PPO);
    }
}
