package ai.epitome.text.jinja;

import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The functions that templates may call.
final class Globals {
    /// What `namespace()` makes; its attributes alone can be assigned to.
    static final String NAMESPACE = "namespace";

    /// As in Jinja's sandbox.
    private static final int LONGEST_RANGE = 100_000;

    private final Budget budget;
    private final LocalDateTime now;
    private final Map<String, Value> functions;

    /// @param now what `strftime_now` tells
    Globals(Budget budget, LocalDateTime now) {
        this.budget = budget;
        this.now = now;
        functions = Map.of(
                "raise_exception",
                function("raise_exception", arguments -> {
                    throw new JinjaException(
                            "the template refuses this: " + Python.text(arguments.require(0, "message"), budget));
                }),
                "strftime_now",
                function("strftime_now", arguments -> Value.ofTemplate(time(arguments.text(0, "format", "")))),
                "range",
                function("range", this::range),
                "dict",
                function("dict", this::dict),
                NAMESPACE,
                function(NAMESPACE, this::namespace),
                "joiner",
                function("joiner", Globals::joiner),
                "cycler",
                function("cycler", Globals::cycler));
    }

    private static Value function(String name, Value.Function function) {
        return new Value.Callable(name, function);
    }

    /// Null where there is none.
    Value find(String name) {
        return functions.get(name);
    }

    private Value range(Arguments arguments) {
        arguments.allow("start", "stop", "step");
        boolean one = arguments.positional().size() == 1;
        long start = one ? 0 : Python.index(arguments.require(0, "start"));
        long stop = Python.index(arguments.require(one ? 0 : 1, "stop"));
        long step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw new JinjaException("'range' has step 0");
        }
        long count = Math.max(0, step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step);
        if (count > LONGEST_RANGE) {
            throw new JinjaException("a range of " + count + " numbers; at most " + LONGEST_RANGE + " are allowed");
        }
        var numbers = new ArrayList<Value>();
        for (long i = 0; i < count; i++) {
            numbers.add(Value.of(start + i * step));
        }
        return Operations.list(numbers, Value.Kind.LIST, budget);
    }

    private Value dict(Arguments arguments) {
        var entries = new LinkedHashMap<Value, Value>();
        if (!arguments.positional().isEmpty()) {
            Value first = arguments.positional().getFirst();
            if (first instanceof Value.Dict dict) {
                entries.putAll(dict.entries());
            } else {
                for (Value pair : Python.iterate(first, budget)) {
                    List<Value> parts = Python.iterate(pair, budget);
                    if (parts.size() != 2) {
                        throw new JinjaException("'dict' wants pairs, found " + parts.size() + " values together");
                    }
                    entries.put(Operations.key(parts.get(0), budget), parts.get(1));
                }
            }
        }
        arguments.named().forEach((name, value) -> entries.put(Value.ofTemplate(name), value));
        budget.pay(2L * Budget.ELEMENT * entries.size());
        return new Value.Dict(entries);
    }

    private Value namespace(Arguments arguments) {
        var namespace = new Value.Namespace(NAMESPACE);
        if (dict(arguments) instanceof Value.Dict dict) {
            dict.entries()
                    .forEach((name, value) ->
                            namespace.attributes.put(Python.requireText(name).characters(), value));
        }
        return namespace;
    }

    /// Nothing at the first call, then a separator.
    private static Value joiner(Arguments arguments) {
        Value separator = arguments.get(0, "sep", Value.ofTemplate(", "));
        boolean[] used = {false};
        return function("joiner", _ -> {
            Value result = used[0] ? separator : Value.ofTemplate("");
            used[0] = true;
            return result;
        });
    }

    /// One value after the other, round and round.
    private static Value cycler(Arguments arguments) {
        List<Value> items = arguments.positional();
        if (items.isEmpty()) {
            throw new JinjaException("'cycler' wants something to go round");
        }
        var cycler = new Value.Namespace("cycler");
        int[] place = {0};
        Runnable show = () -> cycler.attributes.put("current", items.get(place[0]));
        show.run();
        cycler.attributes.put("next", function("next", _ -> {
            Value current = items.get(place[0]);
            place[0] = (place[0] + 1) % items.size();
            show.run();
            return current;
        }));
        cycler.attributes.put("reset", function("reset", _ -> {
            place[0] = 0;
            show.run();
            return Value.NONE;
        }));
        return cycler;
    }

    /// C's `strftime`, in English.
    private String time(String format) {
        budget.pay(format.length() * 4L);
        var text = new StringBuilder();
        for (int at = 0; at < format.length(); at++) {
            if (format.charAt(at) != '%' || at + 1 == format.length()) {
                text.append(format.charAt(at));
                continue;
            }
            boolean bare = format.charAt(at + 1) == '-' && at + 2 < format.length();
            at += bare ? 2 : 1;
            text.append(part(format.charAt(at), bare ? "%d" : "%02d"));
        }
        return text.toString();
    }

    private String part(char directive, String two) {
        int hour = now.getHour() % 12 == 0 ? 12 : now.getHour() % 12;
        return switch (directive) {
            case 'Y' -> "%04d".formatted(now.getYear());
            case 'y' -> two.formatted(now.getYear() % 100);
            case 'm' -> two.formatted(now.getMonthValue());
            case 'd' -> two.formatted(now.getDayOfMonth());
            case 'e' -> (two.equals("%d") ? "%d" : "%2d").formatted(now.getDayOfMonth());
            case 'j' -> (two.equals("%d") ? "%d" : "%03d").formatted(now.getDayOfYear());
            case 'H' -> two.formatted(now.getHour());
            case 'I' -> two.formatted(hour);
            case 'M' -> two.formatted(now.getMinute());
            case 'S' -> two.formatted(now.getSecond());
            case 'f' -> "%06d".formatted(now.getNano() / 1000);
            case 'p' -> now.getHour() < 12 ? "AM" : "PM";
            case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' -> now.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'u' -> String.valueOf(now.getDayOfWeek().getValue());
            case 'w' -> String.valueOf(now.getDayOfWeek().getValue() % 7);
            case 'F' -> "%04d-%02d-%02d".formatted(now.getYear(), now.getMonthValue(), now.getDayOfMonth());
            case 'T' -> "%02d:%02d:%02d".formatted(now.getHour(), now.getMinute(), now.getSecond());
            case 'R' -> "%02d:%02d".formatted(now.getHour(), now.getMinute());
            case 'Z', 'z' -> "";
            case 'n' -> "\n";
            case 't' -> "\t";
            case '%' -> "%";
            default -> throw new JinjaException("'strftime_now' does not know '%" + directive + "'");
        };
    }
}
