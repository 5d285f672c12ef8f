package ai.epitome.serve.moderation;

import java.util.Map;

/// Says how much texts are of each [Category]. A classifier that is better than [WordLists] comes in here.
public interface Moderator {
    /// From which score on a text is flagged.
    double FLAGGED = 0.5;

    /// The name that answers tell as their model.
    String name();

    /// @return scores from 0 to 1; what is missing is 0
    Map<Category, Double> scores(String text);

    static boolean isFlagged(double score) {
        return score >= FLAGGED;
    }
}
