package ai.epitome.train.chat;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.Example;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// Turns one after another, each between marks; see [ChatStyle].
///
/// What people say is encoded as plain text, so that no turn can end itself by spelling a control token.
final class TurnFormat implements ChatFormat {
    /// What stands around a turn.
    ///
    /// @param opening template text before it, with `%s` for the speaker
    /// @param end the token that ends what an assistant says; of others too, where there are `controls`
    /// @param between template text after a turn
    /// @param controls control tokens that `opening` spells
    /// @param template the same in Jinja
    record Marks(String opening, int end, String between, List<String> controls, String template) {}

    private final Tokenizer tokenizer;
    private final Marks marks;

    TurnFormat(Tokenizer tokenizer, Marks marks) {
        this.tokenizer = tokenizer;
        this.marks = marks;
    }

    @Override
    public Example render(Conversation conversation) {
        Tokens tokens = new Tokens();
        List<Turn> turns = conversation.turns();
        int last = turns.size() - 1;
        while (last > 0 && !turns.get(last).learned()) {
            last--; // nobody learns from what comes after
        }
        for (int i = 0; i <= last; i++) {
            tokens.addTurn(turns.get(i));
            if (i < last) {
                tokens.add(plain(marks.between), false);
            }
        }
        return new Example(tokens.ids(), tokens.learned());
    }

    @Override
    public int[] prompt(List<Turn> turns) {
        Tokens tokens = new Tokens();
        for (Turn turn : turns) {
            tokens.addTurn(turn);
            tokens.add(plain(marks.between), false);
        }
        tokens.open(Speaker.ASSISTANT);
        return tokens.ids();
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

    private int[] plain(String text) {
        return tokenizer.encodeContinuation(bytes(text));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /// Tokens and their marks as they grow.
    private final class Tokens {
        private final List<int[]> parts = new ArrayList<>();
        private final List<Boolean> learned = new ArrayList<>();

        Tokens() {
            tokenizer.beginOfText().ifPresent(token -> add(new int[] {token}, false));
        }

        void open(Speaker speaker) {
            String opening = marks.opening.formatted(speaker.role());
            add(
                    marks.controls.isEmpty()
                            ? plain(opening)
                            : tokenizer.encodeWithSpecialTokens(bytes(opening), Set.copyOf(marks.controls)),
                    false);
        }

        void addTurn(Turn turn) {
            open(turn.speaker());
            add(plain(turn.text()), turn.learned());
            if (turn.speaker() == Speaker.ASSISTANT || !marks.controls.isEmpty()) {
                add(new int[] {marks.end}, turn.learned());
            }
        }

        void add(int[] ids, boolean mark) {
            parts.add(ids);
            learned.add(mark);
        }

        int[] ids() {
            return parts.stream().flatMapToInt(Arrays::stream).toArray();
        }

        boolean[] learned() {
            boolean[] marks = new boolean[ids().length];
            int at = 0;
            for (int i = 0; i < parts.size(); i++) {
                Arrays.fill(marks, at, at + parts.get(i).length, learned.get(i));
                at += parts.get(i).length;
            }
            return marks;
        }
    }
}
