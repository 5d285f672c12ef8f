package ai.epitome.serve.moderation;

import java.util.Map;

/// Says how much texts are of each [Category].
public interface Moderator {
    /// From which score on a text is flagged where nothing else is said.
    double FLAGGED = 0.5;

    /// What the service asks where it is told of no other: a trained classifier, and word lists beside it.
    static Moderator bundled() {
        return JointModerator.bundled();
    }

    /// The name that answers tell as their model.
    String name();

    /// @return scores from 0 to 1; what is missing is 0
    Map<Category, Double> scores(String text);

    /// From which score on a text is flagged.
    default double threshold(Category category) {
        return FLAGGED;
    }

    default boolean flags(Category category, double score) {
        return score >= threshold(category);
    }
}
