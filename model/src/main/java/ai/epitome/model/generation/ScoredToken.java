package ai.epitome.model.generation;

import java.util.List;

/// A token with the probability that the model gave it, and the likeliest tokens in its place.
///
/// @param id token id
/// @param bytes what it stands for
/// @param logProbability natural logarithm of its probability at temperature 1 before any restriction; NaN where
/// nothing predicted it, or none was asked for
/// @param top the likeliest tokens at this position, best first; as many as asked for
public record ScoredToken(int id, byte[] bytes, float logProbability, List<Alternative> top) {
    public ScoredToken {
        top = List.copyOf(top);
    }

    /// A token that could have stood here.
    ///
    /// @param id token id
    /// @param bytes what it stands for
    /// @param logProbability natural logarithm of its probability
    public record Alternative(int id, byte[] bytes, float logProbability) {}
}
