package ai.epitome.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The words of a benchmark's command line: positional ones, and `--name value` or `-n value` pairs.
final class Arguments {
    private final List<String> positional = new ArrayList<>();
    private final Map<String, String> named = new HashMap<>();

    Arguments(List<String> words) {
        for (int i = 0; i < words.size(); i++) {
            if (!words.get(i).startsWith("-")) {
                positional.add(words.get(i));
            } else if (i + 1 < words.size()) {
                named.put(words.get(i), words.get(++i));
            } else {
                throw new IllegalArgumentException(words.get(i) + " needs a value");
            }
        }
    }

    String positional(int index, String otherwise) {
        return index < positional.size() ? positional.get(index) : otherwise;
    }

    String text(String name, String otherwise) {
        return named.getOrDefault(name, otherwise);
    }

    int number(String name, int otherwise) {
        return named.containsKey(name) ? Integer.parseInt(named.get(name)) : otherwise;
    }

    /// Whole numbers with commas between them.
    List<Integer> numbers(String name) {
        return named.containsKey(name)
                ? Arrays.stream(named.get(name).split(","))
                        .map(Integer::valueOf)
                        .toList()
                : List.of();
    }

    <E extends Enum<E>> E choice(String name, E otherwise) {
        return named.containsKey(name)
                ? Enum.valueOf(otherwise.getDeclaringClass(), named.get(name).toUpperCase(Locale.ROOT))
                : otherwise;
    }
}
