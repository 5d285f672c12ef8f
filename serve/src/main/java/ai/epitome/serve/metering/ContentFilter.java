package ai.epitome.serve.metering;

import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.moderation.Category;
import ai.epitome.serve.moderation.ModerationPolicy;
import ai.epitome.serve.moderation.ModerationPolicy.Action;
import ai.epitome.serve.moderation.ModerationPolicy.Side;
import ai.epitome.serve.moderation.Moderator;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// A key's [ModerationPolicy], applied to what one request asks and is answered. What was found is noted
/// without the texts.
///
/// An answer is looked at while it comes, in steps, each together with [#BEFORE] characters of what came
/// before. Where the policy refuses answers, a step ends with a sentence and has some [#STEP] characters at
/// most, and is held back until it has been looked at; otherwise all goes on at once, and steps are of
/// [#LONG_STEP] characters.
public final class ContentFilter {
    /// Some twelve words.
    private static final int STEP = 80;
    /// Where nobody waits for it, fewer looks do.
    private static final int LONG_STEP = 240;
    /// Some forty words, about as many as a classifier looks at together.
    private static final int BEFORE = 240;

    private final ModerationPolicy policy;
    private final Moderator moderator;
    private final Map<Side, Map<Category, Action>> found = new EnumMap<>(Side.class);

    ContentFilter(ModerationPolicy policy, Moderator moderator) {
        this.policy = policy;
        this.moderator = moderator;
    }

    /// Looks at what is asked.
    ///
    /// @throws ApiException with status 400 when the policy refuses it
    public void input(Collection<String> texts) {
        if (!policy.looksAt(Side.INPUT)) {
            return;
        }
        for (String text : texts) {
            look(Side.INPUT, text);
        }
        if (refused(Side.INPUT)) {
            throw ApiException.contentFiltered("What was asked is refused by the moderation policy: it was taken for "
                    + words(Side.INPUT, Action.REFUSE) + ".");
        }
    }

    /// Looks at an answer on its way to `listener`.
    public Output output(Consumer<GenerationPiece> listener) {
        return new Output(listener);
    }

    /// @return whether that is refused
    private boolean look(Side side, String text) {
        Map<Category, Action> actions = policy.judge(side, moderator.scores(text), moderator);
        note(side, actions);
        return actions.containsValue(Action.REFUSE);
    }

    private synchronized void note(Side side, Map<Category, Action> actions) {
        Map<Category, Action> before = found.computeIfAbsent(side, _ -> new EnumMap<>(Category.class));
        actions.forEach((category, action) ->
                before.merge(category, action, (one, other) -> one.compareTo(other) > 0 ? one : other));
    }

    private synchronized boolean refused(Side side) {
        return found.getOrDefault(side, Map.of()).containsValue(Action.REFUSE);
    }

    private synchronized String words(Side side, Action least) {
        return found.getOrDefault(side, Map.of()).entrySet().stream()
                .filter(each -> each.getValue().compareTo(least) >= 0)
                .map(each -> each.getKey().word())
                .collect(Collectors.joining(", "));
    }

    /// One thing that was found.
    public record Finding(Side side, Category category, Action action) {
        /// `input:hate=refuse`
        public String word() {
            return side.word() + ":" + category.word() + "=" + action.word();
        }
    }

    /// All that was found so far, in a fixed order.
    synchronized List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        found.forEach((side, actions) ->
                actions.forEach((category, action) -> findings.add(new Finding(side, category, action))));
        return findings;
    }

    /// An answer on its way.
    public final class Output implements Consumer<GenerationPiece> {
        private final Consumer<GenerationPiece> listener;
        private final boolean looks = policy.looksAt(Side.OUTPUT);
        private final boolean holds = policy.refuses(Side.OUTPUT);
        private final StringBuilder passed = new StringBuilder();
        private final StringBuilder step = new StringBuilder();
        private final List<GenerationPiece> held = new ArrayList<>();
        private volatile boolean refused;

        private Output(Consumer<GenerationPiece> listener) {
            this.listener = listener;
        }

        @Override
        public void accept(GenerationPiece piece) {
            if (refused) {
                return;
            }
            if (holds) {
                held.add(piece);
            } else {
                listener.accept(piece);
            }
            if (looks) {
                step.append(piece.text());
                boolean due = step.length() >= STEP || endsSentence(piece.text());
                if (holds ? due : step.length() >= LONG_STEP) {
                    look();
                }
            }
        }

        private static boolean endsSentence(String text) {
            return !text.isEmpty() && ".!?;\n".indexOf(text.charAt(text.length() - 1)) >= 0;
        }

        private void look() {
            int from = Math.max(0, passed.length() - BEFORE);
            if (!step.toString().isBlank()) {
                refused = ContentFilter.this.look(Side.OUTPUT, passed.substring(from) + step) && holds;
            }
            if (!refused) {
                passed.append(step);
                held.forEach(listener);
            }
            step.setLength(0);
            held.clear();
        }

        /// The generation is over: looks at what is left, and lets it go.
        public void end() {
            if (!refused) {
                look();
            }
        }

        /// Whether the answer has ended here.
        public boolean refused() {
            return refused;
        }

        /// What was let go, where answers may be refused.
        public String passed() {
            return passed.toString();
        }
    }
}
