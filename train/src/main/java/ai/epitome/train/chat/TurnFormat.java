package ai.epitome.train.chat;

import ai.epitome.text.MarkedText;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.Example;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Turns one after another, each between marks; see [ChatStyle].
///
/// What people say is encoded as plain text, so that no turn can end itself by spelling a control token.
final class TurnFormat implements ChatEncoding {
    /// What stands around a turn.
    ///
    /// @param opening template text before it, with `%s` for the speaker
    /// @param end the token that ends what an assistant says
    /// @param closing template text that ends what others say
    /// @param between template text after a turn
    /// @param template the same in Jinja
    record Marks(String opening, int end, String closing, String between, String template) {}

    private final Tokenizer tokenizer;
    private final Marks marks;

    TurnFormat(Tokenizer tokenizer, Marks marks) {
        this.tokenizer = tokenizer;
        this.marks = marks;
    }

    @Override
    public Example render(TrainingConversation conversation) {
        Tokens tokens = new Tokens();
        List<Turn> turns = conversation.turns();
        int last = turns.size() - 1;
        while (last > 0 && !turns.get(last).learned()) {
            last--; // nobody learns from what comes after
        }
        for (int i = 0; i <= last; i++) {
            if (i > 0) {
                tokens.template(marks.between);
            }
            tokens.turn(turns.get(i));
        }
        return tokens.example();
    }

    @Override
    public int[] prompt(List<Turn> turns) {
        Tokens tokens = new Tokens();
        for (Turn turn : turns) {
            tokens.turn(turn);
            tokens.template(marks.between);
        }
        tokens.open(Speaker.ASSISTANT);
        return tokens.example().tokens();
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int endOfTurn() {
        return marks.end;
    }

    @Override
    public String template() {
        return marks.template;
    }

    /// Tokens and their marks as they grow. Everything between two answers is encoded at once, as for a model that is
    /// to answer.
    private final class Tokens {
        private final List<int[]> parts = new ArrayList<>();
        private final List<Boolean> learned = new ArrayList<>();
        private MarkedText.Builder pending = new MarkedText.Builder();

        Tokens() {
            tokenizer.beginOfText().ifPresent(token -> add(new int[] {token}, false));
        }

        void template(String text) {
            pending.append(text, true);
        }

        void open(Speaker speaker) {
            template(marks.opening.formatted(speaker.role()));
        }

        void turn(Turn turn) {
            open(turn.speaker());
            if (turn.speaker() == Speaker.ASSISTANT) {
                flush();
                add(tokenizer.encodeContinuation(turn.text().getBytes(StandardCharsets.UTF_8)), turn.learned());
                add(new int[] {marks.end}, turn.learned());
            } else {
                pending.append(turn.text(), false);
                template(marks.closing);
            }
        }

        private void flush() {
            add(tokenizer.encode(pending.build()), false);
            pending = new MarkedText.Builder();
        }

        private void add(int[] ids, boolean mark) {
            parts.add(ids);
            learned.add(mark);
        }

        Example example() {
            flush();
            int[] ids = parts.stream().flatMapToInt(Arrays::stream).toArray();
            boolean[] all = new boolean[ids.length];
            int at = 0;
            for (int i = 0; i < parts.size(); i++) {
                Arrays.fill(all, at, at + parts.get(i).length, learned.get(i));
                at += parts.get(i).length;
            }
            return new Example(ids, all);
        }
    }
}
