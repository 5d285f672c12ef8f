package ai.epitome.model.export;

import ai.epitome.tensor.format.BlockFormat;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What was written.
///
/// @param notes what a person should know of it
/// @param tensors how many there are of each format
public record Exported(List<String> notes, Map<BlockFormat, Integer> tensors) {
    public Exported {
        notes = List.copyOf(notes);
    }

    static Map<BlockFormat, Integer> count(List<BlockFormat> formats) {
        Map<BlockFormat, Integer> counts = new EnumMap<>(BlockFormat.class);
        formats.forEach(format -> counts.merge(format, 1, Integer::sum));
        return counts;
    }
}
