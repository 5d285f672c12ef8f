package ai.epitome.cli.account;

import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.WholeFile;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.conversation.ConversationStore;
import ai.epitome.serve.conversation.Preferences;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `epitome feedback`: what people said of answers in the chat.
@Command(
        name = "feedback",
        description = "What people said of answers in the chat.",
        mixinStandardHelpOptions = true,
        subcommands = FeedbackCommand.Export.class,
        footer = {"", "Example: epitome feedback export -o preferences.jsonl"})
public final class FeedbackCommand {

    /// All pairs, a JSON object a line.
    public static byte[] pairs(Accounts accounts) {
        StringBuilder lines = new StringBuilder();
        Preferences.write(
                new ConversationStore(accounts.database()),
                Preferences.Form.PAIRS,
                example -> lines.append(example).append('\n'));
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// `epitome feedback export`.
    @Command(
            name = "export",
            description = {
                "Write it as preference data, a JSON object a line, as `epitome reward` and TRL read it.",
                "Of all conversations in the database, whosoever they are."
            },
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome feedback export -o preferences.jsonl"})
    static final class Export implements Callable<Integer> {
        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                description = "File to write, in place of any that is there (default: standard output).")
        private Path output;

        @Option(
                names = "--form",
                paramLabel = "FORM",
                description = {
                    "pairs (default): prompt, chosen, rejected, of answers that were compared, or rated apart;",
                    "labels: prompt, completion, label, of every answer that was rated;",
                    "ties: prompt, answers, of those that were found equally good."
                })
        private Preferences.Form form = Preferences.Form.PAIRS;

        @Mixin
        private AccountOptions options;

        @Override
        public Integer call() throws IOException {
            try (Accounts accounts = options.open()) {
                ConversationStore store = new ConversationStore(accounts.database());
                if (output == null) {
                    write(store, StandardText.output());
                } else {
                    WholeFile.write(output, out -> {
                        long written = write(store, new PrintStream(out, false, StandardCharsets.UTF_8));
                        System.err.printf("wrote %d examples to %s%n", written, output);
                    });
                }
            }
            return 0;
        }

        private long write(ConversationStore store, PrintStream out) throws IOException {
            AtomicLong written = new AtomicLong();
            Preferences.write(store, form, example -> {
                out.print(example);
                out.print('\n');
                written.incrementAndGet();
            });
            out.flush();
            if (out.checkError()) {
                throw new IOException("the examples could not be written: is the disk full?");
            }
            return written.get();
        }
    }
}
