package ai.epitome.cli.generate;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.KeyValueOptions;
import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Terminal;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.chat.ChatFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `epitome chat`: a conversation with a model in the terminal, or from a script.
@Command(
        name = "chat",
        description = "Talk to a model.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A line is a message; one that ends in \\ goes on, and \"\"\" begins and ends one of several lines.",
            "Ctrl-C stops an answer. /help lists the commands.",
            "",
            "Example: epitome chat tinyllama.Q4_0.gguf --system \"You answer in one sentence.\"",
            "         echo \"Why is the sky blue?\" | epitome chat models/mine > answer.txt"
        })
public final class ChatCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "Model: a folder, a GGUF file, or one of llama2.c.")
    private Path source;

    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told before the conversation.")
    private String system;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens of an answer (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int maxTokens = 1024;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End an answer before this text; may be given again.")
    private List<String> stop = List.of();

    @ArgGroup(validate = false, heading = "%nHow tokens are drawn, in the order of the steps:%n")
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private KernelOptions kernels;

    @Mixin
    private KeyValueOptions keysAndValues;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        sampling.sampling(); // wrong values are told before the model is loaded
        Backend backend = kernels.backend();
        try (LoadedModel model = LoadedModel.open(source)) {
            ChatFormat format = model.chat();
            TextGenerator generator = model.generator(backend, keysAndValues.limits());
            boolean terminal = Terminal.inputIsOne() && Terminal.outputIsOne() && !"dumb".equals(System.getenv("TERM"));
            try (ChatScreen screen = terminal ? new TerminalScreen() : new ScriptScreen()) {
                screen.notice("%s, %,d tokens of context. Conversations are written as %s."
                        .formatted(model.id(), generator.contextLength(), format.describe()));
                var dialogue = new ChatDialogue(
                        screen,
                        new ChatAnswers(generator, format, screen),
                        new ChatTurns(Optional.ofNullable(system)),
                        new ChatSettings(spec, sampling::sampling, () -> maxTokens),
                        stop);
                if (terminal) {
                    screen.notice("/help lists the commands, Ctrl-D leaves.");
                }
                return dialogue.run() || terminal ? 0 : 1;
            }
        } finally {
            backend.workers().close();
        }
    }
}
