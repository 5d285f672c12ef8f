package ai.epitome.cli.generate;

import ai.epitome.cli.terminal.Failures;
import ai.epitome.model.generation.Sampling;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Reads messages and commands until there are no more, and has them answered or done.
final class ChatDialogue {
    private static final String PROMPT = "> ";
    private static final String MORE = "| ";
    private static final String BLOCK = "\"\"\"";

    private static final String HELP = """
            /system [TEXT]    what the model is told first; nothing without TEXT
            /reset            forget the conversation
            /undo             forget your last message and its answer
            /retry            answer your last message again
            /save FILE        write the conversation as JSON
            /load FILE        go on with a conversation of a file
            /set [NAME VALUE] change how tokens are drawn; without, show it
            /stats            how long the last answer took
            /exit             leave (so does Ctrl-D)
            A line that ends in \\ goes on. \"\"\" begins and ends several lines.""";

    private final ChatScreen screen;
    private final ChatAnswers answers;
    private final ChatTurns turns;
    private final ChatSettings settings;
    private final List<String> stop;
    private int retries;
    private boolean wentWell = true;

    ChatDialogue(ChatScreen screen, ChatAnswers answers, ChatTurns turns, ChatSettings settings, List<String> stop) {
        this.screen = screen;
        this.answers = answers;
        this.turns = turns;
        this.settings = settings;
        this.stop = stop;
    }

    /// Returns whether all went well.
    boolean run() throws IOException {
        while (!screen.closed()) {
            Optional<String> message = readMessage();
            if (message.isEmpty()
                    || List.of("/exit", "/quit", "/bye").contains(message.get().strip())) {
                return wentWell;
            }
            if (message.get().isBlank()) {
                continue;
            }
            try {
                if (message.get().startsWith("/")) {
                    command(message.get().strip());
                } else {
                    turns.user(message.get());
                    retries = 0;
                    answer();
                }
            } catch (IOException | IllegalArgumentException e) {
                wentWell = false;
                screen.notice(Failures.describe(e));
            }
        }
        return wentWell;
    }

    /// A line, or several.
    private Optional<String> readMessage() throws IOException {
        Optional<String> first = screen.readLine(PROMPT);
        if (first.isEmpty()) {
            return first;
        }
        String line = first.get();
        if (line.stripLeading().startsWith(BLOCK)) {
            return Optional.of(readBlock(line.stripLeading().substring(BLOCK.length())));
        }
        StringBuilder message = new StringBuilder();
        while (line.endsWith("\\")) {
            message.append(line, 0, line.length() - 1).append('\n');
            line = screen.readLine(MORE).orElse("");
        }
        return Optional.of(message.append(line).toString());
    }

    private String readBlock(String begun) throws IOException {
        StringBuilder message = new StringBuilder();
        String line = begun;
        while (!line.stripTrailing().endsWith(BLOCK)) {
            message.append(message.isEmpty() && line.isEmpty() ? "" : line + "\n");
            Optional<String> next = screen.readLine(MORE);
            if (next.isEmpty()) {
                return message.toString();
            }
            line = next.get();
        }
        String last = line.stripTrailing();
        return message.append(last, 0, last.length() - BLOCK.length())
                .toString()
                .stripTrailing();
    }

    private void answer() {
        Sampling sampling = settings.sampling().get();
        try {
            // a message that the template refuses is not kept: the next one would be refused for it
            turns.assistant(answers.answer(
                    turns, settings.maxTokens().getAsInt(), sampling.withSeed(sampling.seed() + retries), stop));
        } catch (IllegalArgumentException e) {
            turns.undo();
            throw e;
        }
    }

    private void command(String line) throws IOException {
        int space = line.indexOf(' ');
        String name = space < 0 ? line : line.substring(0, space);
        String rest = space < 0 ? "" : line.substring(space + 1).strip();
        switch (name) {
            case "/help", "/?" -> HELP.lines().forEach(screen::notice);
            case "/system" -> {
                turns.system(rest.isEmpty() ? Optional.empty() : Optional.of(rest));
                screen.notice(rest.isEmpty() ? "(the model is told nothing first)" : "(the model is told this first)");
            }
            case "/reset" -> {
                turns.clear();
                screen.notice("(the conversation is forgotten)");
            }
            case "/undo" ->
                screen.notice(turns.undo() ? "(your last message is forgotten)" : "(there is nothing to undo)");
            case "/retry" -> retry();
            case "/save" -> {
                turns.save(file(rest));
                screen.notice("(saved: %d messages)".formatted(turns.size()));
            }
            case "/load" -> {
                turns.load(file(rest));
                screen.notice("(loaded: %d messages)".formatted(turns.size()));
                if (turns.answerIsDue()) {
                    answer();
                }
            }
            case "/set" -> set(rest);
            case "/stats" -> screen.notice(answers.statistics());
            default ->
                throw new IllegalArgumentException("there is no command " + name + "; /help lists those there are");
        }
    }

    private void retry() {
        turns.removeAnswer();
        if (!turns.answerIsDue()) {
            throw new IllegalArgumentException("there is no message to answer again");
        }
        retries++;
        answer();
    }

    private void set(String rest) {
        String[] parts = rest.split("[\\s=]+");
        if (parts.length == 2) {
            settings.set(parts[0], parts[1]);
        } else if (!rest.isEmpty()) {
            throw new IllegalArgumentException("expected /set NAME VALUE, such as /set temperature 0.7");
        }
        screen.notice(settings.shown());
    }

    private static Path file(String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("expected a file's name");
        }
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + name + "' is no file's name", e);
        }
    }
}
