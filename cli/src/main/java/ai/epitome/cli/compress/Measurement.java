package ai.epitome.cli.compress;

import ai.epitome.compress.DescriptionLength;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What a file takes with a model, and without one.
///
/// @param name of the file
/// @param sha256 of it, in hexadecimal; of several files there is none
/// @param model with the model
/// @param others without, by the ways that there are
record Measurement(String name, Optional<String> sha256, DescriptionLength model, List<Line> others) {
    /// One way that needs no weights.
    ///
    /// @param name as one would call it, `xz -9e`
    /// @param alone the file by itself
    /// @param given bytes that it adds to the compressed training text, where that was asked for
    record Line(String name, DescriptionLength alone, OptionalLong given) {
        private Line plus(Line other) {
            return new Line(
                    name,
                    alone.plus(other.alone),
                    given.isPresent() && other.given.isPresent()
                            ? OptionalLong.of(given.getAsLong() + other.given.getAsLong())
                            : OptionalLong.empty());
        }
    }

    Measurement {
        others = List.copyOf(others);
    }

    /// The shortest of the others.
    Line best() {
        return others.stream()
                .min(Comparator.comparingLong(line -> line.alone().payload()))
                .orElseThrow();
    }

    /// All files together, each compressed by itself; the model is needed once.
    static Measurement sum(List<Measurement> files) {
        DescriptionLength model = files.stream()
                .map(Measurement::model)
                .reduce(DescriptionLength::plus)
                .orElseThrow();
        List<Line> others = new ArrayList<>();
        for (int i = 0; i < files.getFirst().others.size(); i++) {
            int way = i;
            others.add(files.stream()
                    .map(file -> file.others.get(way))
                    .reduce(Line::plus)
                    .orElseThrow());
        }
        return new Measurement("%d files".formatted(files.size()), Optional.empty(), model, others);
    }
}
