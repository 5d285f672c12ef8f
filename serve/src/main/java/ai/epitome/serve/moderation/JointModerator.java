package ai.epitome.serve.moderation;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Several moderators: a text's score is the highest that one of them gives.
///
/// They are shown a text in pieces that overlap, so that their memory is bounded whatever is sent.
public final class JointModerator implements Moderator {
    private static final int PIECE = 8_192;
    private static final int OVERLAP = 512;

    private final List<Moderator> parts;

    JointModerator(List<Moderator> parts) {
        this.parts = parts;
    }

    static JointModerator bundled() {
        return Bundled.MODERATOR;
    }

    /// The trained classifier with the word lists.
    public static JointModerator of(LinearClassifier classifier) {
        return new JointModerator(List.of(classifier, WordLists.bundled()));
    }

    /// Read once, when first asked for.
    private static final class Bundled {
        static final JointModerator MODERATOR = of(LinearClassifier.bundled());
    }

    @Override
    public String name() {
        return "epitome-moderation-1";
    }

    @Override
    public double threshold(Category category) {
        return parts.stream()
                .mapToDouble(part -> part.threshold(category))
                .min()
                .orElse(FLAGGED);
    }

    @Override
    public Map<Category, Double> scores(String text) {
        Map<Category, Double> highest = new EnumMap<>(Category.class);
        int from = 0;
        while (true) {
            int to = Math.min(text.length(), from + PIECE);
            String piece = text.substring(from, to);
            for (Moderator part : parts) {
                part.scores(piece).forEach((category, score) -> highest.merge(category, score, Math::max));
            }
            if (to == text.length()) {
                return highest;
            }
            from = to - OVERLAP;
        }
    }
}
