package ai.epitome.cli;

import ai.epitome.cli.account.BillCommand;
import ai.epitome.cli.account.FeedbackCommand;
import ai.epitome.cli.account.KeyCommand;
import ai.epitome.cli.account.PriceCommand;
import ai.epitome.cli.account.UsageCommand;
import ai.epitome.cli.align.AlignCommand;
import ai.epitome.cli.align.BestOfNCommand;
import ai.epitome.cli.align.DpoCommand;
import ai.epitome.cli.align.GrpoCommand;
import ai.epitome.cli.align.PpoCommand;
import ai.epitome.cli.align.RewardCommand;
import ai.epitome.cli.compress.CompressCommand;
import ai.epitome.cli.compress.DecompressCommand;
import ai.epitome.cli.compress.MeasureCommand;
import ai.epitome.cli.generate.ChatCommand;
import ai.epitome.cli.generate.GenerateCommand;
import ai.epitome.cli.generate.ScoreCommand;
import ai.epitome.cli.serve.ModerationCommand;
import ai.epitome.cli.serve.ServeCommand;
import ai.epitome.cli.serve.TuningJobCommand;
import ai.epitome.cli.terminal.Failures;
import ai.epitome.cli.terminal.Interruption;
import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.cli.text.SplitCommand;
import ai.epitome.cli.text.TasksCommand;
import ai.epitome.cli.text.TokenizerCommand;
import ai.epitome.cli.train.PretrainCommand;
import ai.epitome.cli.train.SftCommand;
import ai.epitome.cli.up.UpCommand;
import ai.epitome.cli.weights.ExportCommand;
import ai.epitome.cli.weights.InfoCommand;
import ai.epitome.cli.weights.LoraCommand;
import ai.epitome.cli.weights.QuantizeCommand;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The `epitome` command. Exit codes: 0 done, 1 it failed and said why, 2 the command line made no sense
/// (of `compress` and `decompress` also: done, but there was something to warn of), 130 interrupted.
@Command(
        name = "epitome",
        description = "A complete GPT system for the JVM: text to model, model to service.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Besides: `epitome test` runs all tests, `epitome bench` the benchmarks.",
            "Completion in this shell: source <(./epitome generate-completion)",
            "",
            "Example: epitome up --text my-notes/"
        })
public final class Main {
    /// All commands, in the order of the help.
    private static final List<Class<?>> COMMANDS = List.of(
            UpCommand.class,
            TokenizerCommand.class,
            SplitCommand.class,
            PretrainCommand.class,
            TasksCommand.class,
            TuningJobCommand.class,
            SftCommand.class,
            PpoCommand.class,
            GrpoCommand.class,
            BestOfNCommand.class,
            LoraCommand.class,
            RewardCommand.class,
            DpoCommand.class,
            AlignCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            ScoreCommand.class,
            ServeCommand.class,
            KeyCommand.class,
            PriceCommand.class,
            UsageCommand.class,
            BillCommand.class,
            FeedbackCommand.class,
            ModerationCommand.class,
            InfoCommand.class,
            ExportCommand.class,
            QuantizeCommand.class,
            CompressCommand.class,
            DecompressCommand.class,
            MeasureCommand.class,
            AutoComplete.GenerateCompletion.class);

    private Main() {}

    public static void main(String[] arguments) {
        TypedCommand.remember(arguments);
        int code = run(arguments);
        if (!Interruption.isUnderWay()) {
            System.exit(code);
        }
    }

    private static int run(String[] arguments) {
        CommandLine line = commandLine(arguments);
        try {
            return line.execute(arguments);
        } catch (OutOfMemoryError e) {
            return Failures.report(e, line.getErr());
        }
    }

    /// The parser of the command that the arguments name, or of all, with errors told in one line. To look at
    /// the options of all commands took up to 0.7 s.
    static CommandLine commandLine(String... arguments) {
        CommandLine line = new CommandLine(new Main());
        named(arguments).forEach(line::addSubcommand);
        line.setExecutionExceptionHandler((failure, command, _) -> Failures.report(failure, command.getErr()));
        line.setParameterExceptionHandler(Failures::misused);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        tidyHelp(line);
        return line;
    }

    private static List<Class<?>> named(String... arguments) {
        if (arguments.length > 0) {
            for (Class<?> command : COMMANDS) {
                // completion wants to know all the others
                boolean alone = command != AutoComplete.GenerateCompletion.class;
                if (alone && command.getAnnotation(Command.class).name().equals(arguments[0])) {
                    return List.of(command);
                }
            }
        }
        return COMMANDS;
    }

    /// Options in the order in which they matter, and not all of them once more in the first line.
    private static void tidyHelp(CommandLine line) {
        line.getCommandSpec().usageMessage().sortOptions(false).abbreviateSynopsis(true);
        line.getSubcommands().values().forEach(Main::tidyHelp);
    }
}
