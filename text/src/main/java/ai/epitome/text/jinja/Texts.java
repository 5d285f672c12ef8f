package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/// What is done with texts, so that every character keeps its mark.
///
/// @param budget what it is paid from
record Texts(Budget budget) {

    /// Without the characters at its ends that are among these.
    MarkedText strip(MarkedText text, IntPredicate among, boolean left, boolean right) {
        String characters = text.characters();
        budget.pay(characters.length());
        int from = 0;
        int to = characters.length();
        while (left && from < to && among.test(characters.codePointAt(from))) {
            from += Character.charCount(characters.codePointAt(from));
        }
        while (right && to > from && among.test(characters.codePointBefore(to))) {
            to -= Character.charCount(characters.codePointBefore(to));
        }
        return text.slice(from, to);
    }

    /// The set of characters to strip: those of a text, or whitespace.
    static IntPredicate characters(Value chosen) {
        if (chosen instanceof Value.None) {
            return Characters::isSpace;
        }
        String characters = Python.requireText(chosen).characters();
        return c -> characters.indexOf(c) >= 0;
    }

    /// @param most replacements; negative for all
    MarkedText replace(MarkedText text, String old, MarkedText by, int most) {
        String characters = text.characters();
        budget.search(characters, old);
        var out = new TextBuilder(budget);
        int done = 0;
        int left = most < 0 ? Integer.MAX_VALUE : most;
        int at = left > 0 ? characters.indexOf(old) : -1;
        while (at >= 0) {
            out.append(text, done, at).append(by);
            done = at + old.length();
            if (--left == 0 || at == characters.length()) {
                break;
            }
            at = old.isEmpty() ? characters.offsetByCodePoints(at, 1) : characters.indexOf(old, done);
        }
        return out.append(text, done, characters.length()).build();
    }

    /// `text.split(separator)`
    List<Value> split(MarkedText text, String separator, int most, boolean fromEnd) {
        if (separator.isEmpty()) {
            throw new JinjaException("'split' wants a separator that is not empty");
        }
        String characters = text.characters();
        budget.search(characters, separator);
        var parts = new ArrayList<Value>();
        int left = most < 0 ? Integer.MAX_VALUE : most;
        if (fromEnd) {
            int end = characters.length();
            int at = characters.lastIndexOf(separator);
            for (; at >= 0 && left > 0; left--) {
                parts.addFirst(part(text, at + separator.length(), end));
                end = at;
                at = end < separator.length() ? -1 : characters.lastIndexOf(separator, end - separator.length());
            }
            parts.addFirst(part(text, 0, end));
            return parts;
        }
        int begin = 0;
        for (int at = characters.indexOf(separator); at >= 0 && left > 0; left--) {
            parts.add(part(text, begin, at));
            begin = at + separator.length();
            at = characters.indexOf(separator, begin);
        }
        parts.add(part(text, begin, characters.length()));
        return parts;
    }

    private Value part(MarkedText text, int from, int to) {
        budget.pay(Budget.ELEMENT + to - from);
        return new Value.Text(text.slice(from, to));
    }

    /// `text.split()`: at whitespace, without empty parts.
    List<Value> words(MarkedText text, int most) {
        String characters = text.characters();
        budget.pay(characters.length());
        var words = new ArrayList<Value>();
        int left = most < 0 ? Integer.MAX_VALUE : most;
        int at = 0;
        while (true) {
            while (at < characters.length() && Characters.isSpace(characters.charAt(at))) {
                at++;
            }
            if (at == characters.length()) {
                return words;
            }
            int begin = at;
            if (left-- == 0) {
                words.add(new Value.Text(
                        strip(text.slice(begin, characters.length()), Characters::isSpace, false, true)));
                return words;
            }
            while (at < characters.length() && !Characters.isSpace(characters.charAt(at))) {
                at++;
            }
            words.add(part(text, begin, at));
        }
    }

    /// `text.splitlines()`
    List<MarkedText> lines(MarkedText text, boolean keepEnds) {
        String characters = text.characters();
        budget.pay(characters.length());
        var lines = new ArrayList<MarkedText>();
        int begin = 0;
        for (int at = 0; at < characters.length(); at++) {
            if (Characters.isLineBreak(characters.charAt(at))) {
                boolean pair = characters.startsWith("\r\n", at);
                int end = at + (pair ? 2 : 1);
                budget.pay(Budget.ELEMENT);
                lines.add(text.slice(begin, keepEnds ? end : at));
                begin = end;
                at = end - 1;
            }
        }
        if (begin < characters.length()) {
            lines.add(text.slice(begin, characters.length()));
        }
        return lines;
    }

    MarkedText lower(MarkedText text) {
        return each(text, part -> part.toLowerCase(Locale.ROOT));
    }

    MarkedText upper(MarkedText text) {
        return each(text, part -> part.toUpperCase(Locale.ROOT));
    }

    /// Changes the parts of one writer each.
    private MarkedText each(MarkedText text, UnaryOperator<String> change) {
        var out = new TextBuilder(budget);
        for (MarkedText part : text.parts()) {
            out.append(change.apply(part.characters()), part.isTemplate(0, part.length()));
        }
        return out.build();
    }

    /// The first character in upper case, the rest in lower case.
    MarkedText capitalize(MarkedText text) {
        if (text.length() == 0) {
            return text;
        }
        int first = Character.charCount(text.characters().codePointAt(0));
        return new TextBuilder(budget)
                .append(upper(text.slice(0, first)))
                .append(lower(text.slice(first, text.length())))
                .build();
    }

    /// Every word capitalized.
    ///
    /// @param begins whether a word begins behind a character
    MarkedText title(MarkedText text, IntPredicate begins) {
        var out = new TextBuilder(budget);
        int before = ' ';
        for (int at = 0; at < text.length(); ) {
            int c = text.characters().codePointAt(at);
            int end = at + Character.charCount(c);
            MarkedText character = text.slice(at, end);
            out.append(begins.test(before) ? upper(character) : lower(character));
            before = c;
            at = end;
        }
        return out.build();
    }

    MarkedText join(List<Value> items, MarkedText separator) {
        var out = new TextBuilder(budget);
        boolean first = true;
        for (Value item : items) {
            if (!first) {
                out.append(separator);
            }
            out.append(Python.text(item, budget));
            first = false;
        }
        return out.build();
    }

    /// Fills up with a character to a width, in code points.
    MarkedText pad(MarkedText text, int width, String fill, double before) {
        int missing = Math.max(0, width - text.characters().codePointCount(0, text.length()));
        budget.pay(missing);
        int left = (int) (missing * before);
        return new TextBuilder(budget)
                .template(fill.repeat(left))
                .append(text)
                .template(fill.repeat(missing - left))
                .build();
    }
}
