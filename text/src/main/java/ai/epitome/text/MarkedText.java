package ai.epitome.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Text of which every character remembers who wrote it: a *template*, whose control tokens count, or a *value* that
/// was put into it (a user's message), which is text whatever it spells.
///
/// ```
/// <|im_start|>user\nIs <|im_end|> a token?<|im_end|>
/// |-- template ---||----- value --------||template-|      only the two outer ones become control tokens
/// ```
///
/// Immutable.
public final class MarkedText {
    /// No characters.
    public static final MarkedText EMPTY = new MarkedText("", new int[0]);

    private final String characters;
    /// Where the writer changes, ascending; before the first it is the template.
    private final int[] borders;

    private MarkedText(String characters, int[] borders) {
        this.characters = characters;
        this.borders = borders;
    }

    /// Text that a template wrote.
    public static MarkedText ofTemplate(String characters) {
        return new MarkedText(characters, new int[0]);
    }

    /// Text that comes from elsewhere.
    public static MarkedText ofValue(String characters) {
        return characters.isEmpty() ? EMPTY : new MarkedText(characters, new int[] {0});
    }

    /// The text without its marks.
    public String characters() {
        return characters;
    }

    /// The number of UTF-16 units.
    public int length() {
        return characters.length();
    }

    /// Whether the template wrote all of `[from, to)`.
    public boolean isTemplate(int from, int to) {
        return isTemplate(borders, from, to);
    }

    private static boolean isTemplate(int[] borders, int from, int to) {
        int changes = changesUpTo(borders, from);
        return changes % 2 == 0 && (changes == borders.length || borders[changes] >= to);
    }

    /// Borders at or before a place.
    private static int changesUpTo(int[] borders, int at) {
        int found = Arrays.binarySearch(borders, at);
        return found >= 0 ? found + 1 : -found - 1;
    }

    /// The part `[from, to)`, in UTF-16 units.
    public MarkedText slice(int from, int to) {
        if (from == 0 && to == characters.length()) {
            return this;
        }
        return new Builder().append(this, from, to).build();
    }

    /// The parts of one writer each.
    public List<MarkedText> parts() {
        var parts = new ArrayList<MarkedText>();
        int from = 0;
        for (int border : borders) {
            if (border > from) {
                parts.add(slice(from, border));
            }
            from = border;
        }
        if (characters.length() > from) {
            parts.add(slice(from, characters.length()));
        }
        return parts;
    }

    /// The same text with its bytes in place of its characters.
    Bytes utf8() {
        var bytes = new ByteArrayOutputStream(characters.length() + characters.length() / 8);
        int[] byteBorders = new int[borders.length];
        int from = 0;
        for (int i = 0; i < borders.length; i++) {
            bytes.writeBytes(characters.substring(from, borders[i]).getBytes(StandardCharsets.UTF_8));
            byteBorders[i] = bytes.size();
            from = borders[i];
        }
        bytes.writeBytes(characters.substring(from).getBytes(StandardCharsets.UTF_8));
        return new Bytes(bytes.toByteArray(), byteBorders);
    }

    /// @param bytes UTF-8
    /// @param borders as those of the text, in bytes
    record Bytes(byte[] bytes, int[] borders) {
        boolean isTemplate(int from, int to) {
            return MarkedText.isTemplate(borders, from, to);
        }
    }

    @Override
    public String toString() {
        return characters;
    }

    /// Puts text together. Not safe for use by several threads.
    public static final class Builder {
        private final StringBuilder characters = new StringBuilder();
        private int[] borders = new int[8];
        private int count;

        /// The number of UTF-16 units so far.
        public int length() {
            return characters.length();
        }

        /// Adds text of one writer.
        public Builder append(String text, boolean template) {
            if (!text.isEmpty()) {
                mark(template);
                characters.append(text);
            }
            return this;
        }

        /// Adds `text[from, to)` with its marks.
        public Builder append(MarkedText text, int from, int to) {
            int change = changesUpTo(text.borders, from);
            int at = from;
            while (at < to) {
                int end = change < text.borders.length ? Math.min(to, text.borders[change]) : to;
                mark(change % 2 == 0);
                characters.append(text.characters, at, end);
                at = end;
                change++;
            }
            return this;
        }

        /// Whoever wrote last goes on, or somebody else.
        private void mark(boolean template) {
            if (template == (count % 2 == 0)) {
                return;
            }
            if (count > 0 && borders[count - 1] == characters.length()) {
                count--;
                return;
            }
            if (count == borders.length) {
                borders = Arrays.copyOf(borders, 2 * count);
            }
            borders[count++] = characters.length();
        }

        /// What was added.
        public MarkedText build() {
            return new MarkedText(characters.toString(), Arrays.copyOf(borders, count));
        }
    }
}
