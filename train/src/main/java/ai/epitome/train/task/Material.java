package ai.epitome.train.task;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/// Draws what tasks are about.
///
/// @param random of one task
record Material(Random random) {
    private static final String RESOURCE = "words.txt";
    private static final List<String> WORDS = words();
    /// So many words in ten are invented: who has to copy, reverse and spell them learns how that is done, and not only
    /// the list.
    private static final int INVENTED_OF_TEN = 4;

    private static final String CONSONANTS = "bcdfghjklmnprstvwz";
    private static final String VOWELS = "aeiou";

    private static List<String> words() {
        try (InputStream in = Material.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(
                        "the resource " + RESOURCE + " is missing from the train module's jar; build it again");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the bundled " + RESOURCE, e);
        }
    }

    <T> T one(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    /// From `least` to `most`, both included.
    int number(int least, int most) {
        return random.nextInt(least, most + 1);
    }

    /// An English word, or an invented one, of at most `most` letters (3 or more).
    String word(int most) {
        if (random.nextInt(10) < INVENTED_OF_TEN) {
            return invented(number(3, most));
        }
        String word = one(WORDS);
        while (word.length() > most) {
            word = one(WORDS);
        }
        return word;
    }

    private String invented(int length) {
        StringBuilder word = new StringBuilder();
        boolean vowel = random.nextInt(4) == 0;
        while (word.length() < length) {
            String letters = vowel ? VOWELS : CONSONANTS;
            word.append(letters.charAt(random.nextInt(letters.length())));
            vowel = !vowel;
        }
        return word.toString();
    }
}
