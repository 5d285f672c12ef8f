package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A value as templates see it: Python's, as far as they use it. All but namespaces and loops are immutable, so that no
/// value can hold itself; none is nested deeper than [#DEEPEST].
///
/// `equals` and `hashCode` are Python's `==` and `hash`: `1`, `1.0` and `true` are one, and texts are equal whoever
/// wrote them.
public sealed interface Value {
    /// Lists and dictionaries within each other.
    int DEEPEST = 64;

    /// `none`
    Value NONE = new None();
    /// `true`
    Value TRUE = new Bool(true);
    /// `false`
    Value FALSE = new Bool(false);

    /// A text with the marks of who wrote it.
    record Text(MarkedText text) implements Value {
        String characters() {
            return text.characters();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Text that && characters().equals(that.characters());
        }

        @Override
        public int hashCode() {
            return characters().hashCode();
        }
    }

    /// A whole number.
    record Int(BigInteger value) implements Value {
        @Override
        public boolean equals(Object other) {
            return other instanceof Value that && Numbers.equal(this, that);
        }

        @Override
        public int hashCode() {
            return Numbers.hash(this);
        }
    }

    /// A float.
    record Real(double value) implements Value {
        @Override
        public boolean equals(Object other) {
            return other instanceof Value that && Numbers.equal(this, that);
        }

        @Override
        public int hashCode() {
            return Numbers.hash(this);
        }
    }

    /// `true` or `false`
    record Bool(boolean value) implements Value {
        @Override
        public boolean equals(Object other) {
            return other instanceof Value that && Numbers.equal(this, that);
        }

        @Override
        public int hashCode() {
            return Numbers.hash(this);
        }
    }

    /// `none`
    record None() implements Value {}

    /// What is not there.
    ///
    /// @param what an error message about it, for when it is used
    record Undefined(String what) implements Value {
        @Override
        public boolean equals(Object other) {
            return other instanceof Undefined;
        }

        @Override
        public int hashCode() {
            return 0;
        }
    }

    /// What kinds of sequences there are. A stream is what `map` and `select` give: always true, even when empty.
    enum Kind {
        LIST,
        TUPLE,
        STREAM
    }

    /// A list, a tuple, or a stream.
    ///
    /// @param depth of nesting
    /// @param weight characters and elements in it
    record Sequence(List<Value> items, Kind kind, int depth, long weight) implements Value {
        Sequence(List<Value> items, Kind kind) {
            this(Collections.unmodifiableList(items), kind, deeper(items), Value.weight(items));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Sequence that && kind == that.kind && items.equals(that.items);
        }

        @Override
        public int hashCode() {
            return items.hashCode();
        }
    }

    /// A dictionary, in the order in which keys were put in.
    ///
    /// @param depth of nesting
    /// @param weight characters and elements in it
    record Dict(Map<Value, Value> entries, int depth, long weight) implements Value {
        Dict(Map<Value, Value> entries) {
            this(
                    Collections.unmodifiableMap(entries),
                    deeper(entries.values()),
                    Value.weight(entries.keySet()) + Value.weight(entries.values()));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Dict that && entries.equals(that.entries);
        }

        @Override
        public int hashCode() {
            return entries.hashCode();
        }
    }

    /// `namespace()`, and other objects with attributes.
    final class Namespace implements Value {
        final String name;
        final Map<String, Value> attributes = new LinkedHashMap<>();

        Namespace(String name) {
            this.name = name;
        }
    }

    /// A macro, a method or a function.
    record Callable(String name, Function function) implements Value {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /// What is done when something is called.
    @FunctionalInterface
    interface Function {
        Value call(Arguments arguments);
    }

    private static int deeper(Iterable<Value> items) {
        int deepest = 0;
        for (Value item : items) {
            int depth = switch (item) {
                case Sequence sequence -> sequence.depth;
                case Dict dict -> dict.depth;
                default -> 0;
            };
            deepest = Math.max(deepest, depth);
        }
        if (deepest >= DEEPEST) {
            throw new JinjaException("lists and dictionaries within each other, more than " + DEEPEST + " deep");
        }
        return deepest + 1;
    }

    /// Characters and elements; what is in a value twice counts twice. At most 2^40, so that sums do not overflow.
    static long weight(Iterable<Value> items) {
        long sum = 0;
        for (Value item : items) {
            sum = Math.min(1L << 40, sum + Budget.ELEMENT + weight(item));
        }
        return sum;
    }

    /// Characters and elements in one value.
    static long weight(Value value) {
        return switch (value) {
            case Text text -> text.text().length();
            case Sequence sequence -> sequence.weight;
            case Dict dict -> dict.weight;
            case Int(BigInteger integer) -> integer.bitLength() / Byte.SIZE;
            default -> 1;
        };
    }

    /// Text that the model's files or the program wrote.
    static Value ofTemplate(String text) {
        return new Text(MarkedText.ofTemplate(text));
    }

    /// Text from elsewhere, which control tokens cannot hide in.
    static Value of(String text) {
        return new Text(MarkedText.ofValue(text));
    }

    static Value of(boolean value) {
        return value ? TRUE : FALSE;
    }

    static Value of(long value) {
        return new Int(BigInteger.valueOf(value));
    }

    static Value of(double value) {
        return new Real(value);
    }

    /// A list.
    static Value of(List<Value> items) {
        return new Sequence(List.copyOf(items), Kind.LIST);
    }

    /// A dictionary whose keys come from elsewhere.
    static Value of(Map<String, Value> entries) {
        var map = new LinkedHashMap<Value, Value>();
        entries.forEach((key, value) -> map.put(of(key), value));
        return new Dict(map);
    }

    /// Equality of numbers, whatever their types.
    final class Numbers {
        private Numbers() {}

        static boolean equal(Value a, Value b) {
            if (!isNumber(a) || !isNumber(b)) {
                return false;
            }
            if (a instanceof Real || b instanceof Real) {
                double x = real(a);
                double y = real(b);
                boolean finite = Double.isFinite(x) && Double.isFinite(y);
                return finite ? decimal(a).compareTo(decimal(b)) == 0 : x == y;
            }
            return integer(a).equals(integer(b));
        }

        static int hash(Value number) {
            double value = real(number);
            return value == Math.rint(value) && Math.abs(value) < 1L << 53
                    ? Long.hashCode((long) value)
                    : Double.hashCode(value);
        }

        static boolean isNumber(Value value) {
            return value instanceof Int || value instanceof Real || value instanceof Bool;
        }

        /// Of a number.
        static double real(Value number) {
            return switch (number) {
                case Int(BigInteger value) -> value.doubleValue();
                case Real(double value) -> value;
                case Bool(boolean value) -> value ? 1 : 0;
                default -> throw new IllegalStateException("no number: " + number);
            };
        }

        /// Of a number that is no float.
        static BigInteger integer(Value number) {
            return switch (number) {
                case Int(BigInteger value) -> value;
                case Bool(boolean value) -> value ? BigInteger.ONE : BigInteger.ZERO;
                default -> throw new IllegalStateException("no integer: " + number);
            };
        }

        private static BigDecimal decimal(Value number) {
            return number instanceof Real(double value) ? new BigDecimal(value) : new BigDecimal(integer(number));
        }
    }
}
