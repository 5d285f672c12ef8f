package ai.epitome.cli.generate;

import ai.epitome.model.generation.Sampling;
import java.util.List;
import java.util.Locale;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// The options of a conversation that can be changed while it goes on.
///
/// @param sampling made anew from the options each time
record ChatSettings(CommandSpec spec, Supplier<Sampling> sampling, IntSupplier maxTokens) {
    private static final String MAX_TOKENS = "--max-tokens";

    /// Their names, without dashes before them.
    List<String> names() {
        return settable().map(option -> option.longestName().substring(2)).toList();
    }

    /// Numbers alone, of the sampling and [#MAX_TOKENS].
    private Stream<OptionSpec> settable() {
        return spec.options().stream()
                .filter(option ->
                        option.longestName().equals(MAX_TOKENS) || (option.group() != null && !option.isMultiValue()));
    }

    /// @throws IllegalArgumentException if there is no such setting, or it cannot have this value
    void set(String name, String text) {
        String wanted = "--" + name.replace('_', '-').toLowerCase(Locale.ROOT);
        OptionSpec option = settable()
                .filter(one -> one.longestName().equals(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no setting '" + name + "'; known are " + String.join(", ", names())));
        Object before = option.getValue();
        option.setValue(number(option, text));
        try {
            sampling.get();
        } catch (IllegalArgumentException e) {
            option.setValue(before);
            throw e;
        }
    }

    private static Object number(OptionSpec option, String text) {
        Class<?> type = option.type();
        String name = option.longestName().substring(2);
        try {
            if (type == double.class || type == Double.class) {
                return Double.valueOf(text);
            }
            if (type == long.class || type == Long.class) {
                return Long.valueOf(text);
            }
            int value = Integer.parseInt(text);
            if (option.longestName().equals(MAX_TOKENS) && value < 1) {
                throw new IllegalArgumentException(name + " must be 1 or more, not " + value);
            }
            return value;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " wants a number, found '" + text + "'", e);
        }
    }

    /// The settings with their values, one line.
    String shown() {
        return settable()
                .map(option -> option.longestName().substring(2) + " "
                        + (option.getValue() == null ? "drawn" : option.getValue()))
                .collect(Collectors.joining(", "));
    }
}
