package ai.epitome.cli.align;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.Numbers;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// How models are asked, to be compared.
final class AnswerOptions {
    @Option(
            names = "--most",
            paramLabel = "N",
            defaultValue = "500",
            description = "Prompts that are used, from the first on (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int most;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "48",
            description = "Tokens of an answer (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int tokens;

    @Option(
            names = "--seed",
            paramLabel = "SEED",
            defaultValue = "1",
            description = "Seed of sampling, and of training where there is some (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private KernelOptions kernels;

    int most() {
        return most;
    }

    int tokens() {
        return tokens;
    }

    long seed() {
        return seed;
    }

    KernelOptions kernels() {
        return kernels;
    }
}
