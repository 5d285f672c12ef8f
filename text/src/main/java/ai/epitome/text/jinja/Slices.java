package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// `object[start:stop:step]`
///
/// @param budget what it is paid from
record Slices(Budget budget) {

    Value slice(Value object, Value start, Value stop, Value step) {
        int stride = step instanceof Value.None ? 1 : clamped(step);
        if (stride == 0) {
            throw new JinjaException("a slice has step 0");
        }
        return switch (Python.requireDefined(object)) {
            case Value.Text(MarkedText text) -> text(text, start, stop, stride);
            case Value.Sequence sequence
            when sequence.kind() != Value.Kind.STREAM -> {
                List<Value> items = sequence.items();
                if (stride == 1) {
                    int from = bound(start, 0, items.size(), false);
                    int to = Math.max(from, bound(stop, items.size(), items.size(), false));
                    yield Operations.list(List.copyOf(items.subList(from, to)), sequence.kind(), budget);
                }
                var chosen = new ArrayList<Value>();
                for (int place : places(start, stop, stride, items.size())) {
                    chosen.add(items.get(place));
                }
                yield Operations.list(chosen, sequence.kind(), budget);
            }
            default -> throw new JinjaException("a " + Python.type(object) + " cannot be sliced");
        };
    }

    private Value text(MarkedText text, Value start, Value stop, int stride) {
        String characters = text.characters();
        budget.pay(characters.length());
        int length = characters.codePointCount(0, characters.length());
        if (stride == 1) {
            int from = bound(start, 0, length, false);
            int to = Math.max(from, bound(stop, length, length, false));
            int begin = characters.offsetByCodePoints(0, from);
            return new Value.Text(text.slice(begin, characters.offsetByCodePoints(begin, to - from)));
        }
        List<Value> all = Python.iterate(new Value.Text(text), budget);
        var out = new TextBuilder(budget);
        for (int place : places(start, stop, stride, length)) {
            out.append(Python.requireText(all.get(place)));
        }
        return out.value();
    }

    private static int[] places(Value start, Value stop, int stride, int length) {
        boolean back = stride < 0;
        int from = bound(start, back ? length - 1 : 0, length, back);
        int to = bound(stop, back ? -1 : length, length, back);
        int count = back
                ? (int) Math.max(0, (from - (long) to - stride - 1L) / -(long) stride)
                : (int) Math.max(0, (to - (long) from + stride - 1L) / stride);
        int[] places = new int[count];
        for (int i = 0; i < count; i++) {
            places[i] = from + i * stride;
        }
        return places;
    }

    /// A place from 0 to `length`, or from -1 to `length - 1` where it goes backwards.
    private static int bound(Value value, int absent, int length, boolean back) {
        if (value instanceof Value.None) {
            return absent;
        }
        int place = clamped(value);
        int lowest = back ? -1 : 0;
        int highest = back ? length - 1 : length;
        return place < 0 ? Math.max(lowest, place + length) : Math.min(highest, place);
    }

    /// What lies beyond 31 bits is beyond any text.
    private static int clamped(Value value) {
        Python.requireDefined(value);
        if (!(value instanceof Value.Int || value instanceof Value.Bool)) {
            throw new JinjaException("a slice wants integers, found a " + Python.type(value));
        }
        BigInteger integer = Value.Numbers.integer(value);
        return integer.bitLength() < Integer.SIZE - 1
                ? integer.intValue()
                : integer.signum() < 0 ? Integer.MIN_VALUE / 2 : Integer.MAX_VALUE / 2;
    }
}
