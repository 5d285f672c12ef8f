package ai.epitome.serve.moderation;

import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/// Texts as classifiers compare them: small letters without accents, and signs that stand for letters
/// (`k1ll`) as those.
final class PlainText {
    private static final Pattern MARKS = Pattern.compile("\\p{M}+");

    private PlainText() {}

    static String of(String text) {
        String folded = MARKS.matcher(Normalizer.normalize(text, Normalizer.Form.NFKD))
                .replaceAll("")
                .replace('\u2019', '\'')
                .toLowerCase(Locale.ROOT);
        StringBuilder plain = new StringBuilder(folded.length());
        for (int i = 0; i < folded.length(); i++) {
            boolean within = i > 0
                    && i + 1 < folded.length()
                    && Character.isLetter(folded.charAt(i - 1))
                    && Character.isLetter(folded.charAt(i + 1));
            plain.append(within ? letter(folded.charAt(i)) : folded.charAt(i));
        }
        return plain.toString();
    }

    private static char letter(char sign) {
        return switch (sign) {
            case '0' -> 'o';
            case '1', '!', '|' -> 'i';
            case '3' -> 'e';
            case '4', '@' -> 'a';
            case '5', '$' -> 's';
            case '7' -> 't';
            default -> sign;
        };
    }
}
