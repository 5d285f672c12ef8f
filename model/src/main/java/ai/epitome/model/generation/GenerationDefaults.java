package ai.epitome.model.generation;

import java.util.OptionalInt;
import java.util.Set;

/// Which tokens end a text, and how its makers would sample.
///
/// @param endOfText tokens that end a generation
/// @param beginOfText token that texts begin with
/// @param sampling how to sample when nothing else is asked for
public record GenerationDefaults(Set<Integer> endOfText, OptionalInt beginOfText, Sampling sampling) {
    public GenerationDefaults {
        endOfText = Set.copyOf(endOfText);
    }

    /// Of a model of our own: `endOfText`, where there is one, ends texts and begins them.
    public static GenerationDefaults of(OptionalInt endOfText) {
        return new GenerationDefaults(
                endOfText.isPresent() ? Set.of(endOfText.getAsInt()) : Set.of(),
                endOfText,
                Sampling.ofTemperature(1, 0));
    }
}
