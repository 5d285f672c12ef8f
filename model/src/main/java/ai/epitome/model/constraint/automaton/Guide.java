package ai.epitome.model.constraint.automaton;

import ai.epitome.model.constraint.grammar.ConstraintException;

/// Leads one text through a constraint: says before each token which ones may follow, and is told which one did. Not
/// thread-safe: one text's.
///
/// **The end comes in time.** When the tokens that are left run short, those are left out behind which the
/// text could no longer be made whole with what is left, so that a text is whole when its last token has
/// come, if the budget ever sufficed for that. Distances count bytes, of which a token has at least one;
/// where not even that fits, the shortest end is written in the fewest tokens. Where this does not fit
/// either, the text will be cut.
public final class Guide {
    private static final long LONGEST_PLAN = 1 << 16;

    private final TokenMasks masks;
    private final TokenVocabulary vocabulary;
    private TokenMasks.Place place;
    private boolean ended;
    /// The tokens that are to follow; null while there is a choice.
    private int[] plan;
    private int planned;

    public Guide(TokenMasks masks) {
        this.masks = masks;
        this.vocabulary = masks.vocabulary();
        this.place = masks.start();
    }

    /// Which tokens may follow: a bit for each, token i in bit `i % 64` of element `i / 64`. Tokens that end a text are
    /// among them when the text is whole.
    ///
    /// @param left tokens that the text may still have, at least 1
    /// @throws ConstraintException when no token of the vocabulary can go on, or it takes too much work to tell
    public long[] allowed(int left) {
        if (plan != null && planned < plan.length) {
            return only(plan[planned]);
        }
        TokenMasks.Mask mask = masks.mask(place);
        long[] tokens = mask.farthest() <= left - 1 ? mask.tokens().clone() : nearTheEnd(mask, left);
        if (place.state().accepts) {
            vocabulary.endOfText().forEach(token -> tokens[token >> 6] |= 1L << token);
        }
        if (isEmpty(tokens)) {
            throw new ConstraintException(
                    place.state().accepts
                            ? "the text is whole, and the model has no token that ends it"
                            : "no token of the vocabulary can go on with the text as the constraint wants it");
        }
        return tokens;
    }

    private long[] nearTheEnd(TokenMasks.Mask mask, int left) {
        long[] tokens = masks.within(place, left - 1L);
        if (!isEmpty(tokens)) {
            return tokens;
        }
        if (place.state().accepts) {
            return vocabulary.endOfText().isEmpty() ? mask.tokens().clone() : tokens;
        }
        plan = plan(left);
        planned = 0;
        return plan == null ? mask.tokens().clone() : only(plan[0]);
    }

    private long[] only(int token) {
        long[] tokens = new long[(vocabulary.size() + 63) / 64];
        tokens[token >> 6] = 1L << token;
        return tokens;
    }

    private static boolean isEmpty(long[] tokens) {
        for (long word : tokens) {
            if (word != 0) {
                return false;
            }
        }
        return true;
    }

    /// The fewest tokens of a shortest end; null when that is more than `left`.
    private int[] plan(int left) {
        if (place.state().distance > Math.min(LONGEST_PLAN, (long) left * vocabulary.all().deepest)) {
            return null;
        }
        byte[] end = masks.shortest(place);
        int[] tokens = end == null ? null : vocabulary.all().fewest(end);
        return tokens == null || tokens.length > left ? null : tokens;
    }

    /// Takes the next token.
    ///
    /// @throws IllegalArgumentException when it may not follow
    public void accept(int token) {
        if (plan != null && planned < plan.length && plan[planned] == token) {
            planned++;
        }
        if (vocabulary.endOfText().contains(token) && place.state().accepts && !ended) {
            ended = true;
            return;
        }
        byte[] bytes = vocabulary.bytes(token);
        TokenMasks.Place behind = ended || bytes.length == 0 ? null : masks.behind(place, bytes);
        if (behind == null) {
            throw new IllegalArgumentException("token %d may not follow here".formatted(token));
        }
        place = behind;
    }

    /// Whether the text so far is one that the constraint allows.
    public boolean isWhole() {
        return place.state().accepts;
    }

    /// Whether the text is whole and nothing can follow.
    public boolean isFinished() {
        return ended || (place.state().accepts && place.state().ends());
    }
}
