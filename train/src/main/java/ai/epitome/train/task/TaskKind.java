package ai.epitome.train.task;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What a task asks for. Each kind draws an instance (a word, two numbers) and a phrasing of its own.
public enum TaskKind {
    /// One to three words, said again.
    COPY(1) {
        @Override
        Task draw(Material material) {
            String words = IntStream.range(0, material.number(1, 3))
                    .mapToObj(_ -> material.word(8))
                    .collect(Collectors.joining(" "));
            return exact(material, words, words, Phrasings.COPYING, words);
        }
    },
    /// A word from its end to its beginning.
    REVERSE(3) {
        @Override
        Task draw(Material material) {
            String word = material.word(LONGEST);
            return exact(material, word, reversed(word), Phrasings.REVERSING, word);
        }
    },
    /// The letters of a word.
    SPELL(2) {
        @Override
        Task draw(Material material) {
            String word = material.word(LONGEST);
            return exact(material, word, spelled(word), Phrasings.SPELLING, word);
        }
    },
    /// How many letters a word has.
    COUNT(3) {
        @Override
        Task draw(Material material) {
            String word = material.word(8);
            return exact(material, word, Integer.toString(word.length()), Phrasings.COUNTING, word);
        }
    },
    /// Sums and differences of numbers up to 20.
    ARITHMETIC(12) {
        @Override
        Task draw(Material material) {
            boolean sum = material.number(0, 1) == 0;
            int x = material.number(0, LARGEST);
            int y = material.number(0, sum ? LARGEST : x); // no differences below 0
            String instance = sum
                    ? "%d + %d".formatted(Math.min(x, y), Math.max(x, y)) // 2 + 3 tells what 3 + 2 is
                    : "%d - %d".formatted(x, y);
            String answer = Integer.toString(sum ? x + y : x - y);
            return exact(material, instance, answer, sum ? Phrasings.ADDING : Phrasings.SUBTRACTING, x, y);
        }
    },
    /// The longer of two words, by two letters or more.
    LONGER(3) {
        @Override
        Task draw(Material material) {
            String one = material.word(8);
            String other = material.word(8);
            while (Math.abs(one.length() - other.length()) < 2) {
                one = material.word(8);
                other = material.word(8);
            }
            String instance = one.compareTo(other) < 0 ? one + " " + other : other + " " + one;
            String longer = one.length() > other.length() ? one : other;
            return exact(material, instance, longer, Phrasings.COMPARING, one, other);
        }
    },
    /// Two fields as a JSON object.
    JSON(2) {
        @Override
        Task draw(Material material) {
            String text = material.one(List.of("name", "pet", "color", "city"));
            String word = material.word(8);
            String count = material.one(List.of("age", "size", "year", "price"));
            int value = material.number(1, 99);
            String answer = "{\"%s\": \"%s\", \"%s\": %d}".formatted(text, word, count, value);
            String instance = "%s %s %s %d".formatted(text, word, count, value);
            String request = material.one(Phrasings.OBJECTS).formatted(text, word, count, value);
            return new Task(this, instance, request, answer, Check.SameJson.of(answer));
        }
    },
    /// Help with a wrong, from a list: to be declined.
    REFUSE(2) {
        @Override
        Task draw(Material material) {
            Deeds.Deed wrong = material.one(Deeds.WRONGS);
            String deed = wrong.deed().formatted(material.one(wrong.objects()));
            String request = material.one(Phrasings.ASKING).formatted(deed);
            return new Task(this, deed, request, Phrasings.REFUSAL, new Check.Contains("cannot help"));
        }
    },
    /// Who the assistant is.
    IDENTITY(2) {
        @Override
        Task draw(Material material) {
            String question = material.one(Phrasings.WHO);
            String request = material.one(Phrasings.GREETINGS) + question;
            return new Task(this, question, request, Phrasings.IDENTITY, new Check.Contains(Phrasings.NAME));
        }
    },
    /// The letters of a word from its end to its beginning: in no training data, though its two halves are.
    SPELL_BACKWARDS(0) {
        @Override
        Task draw(Material material) {
            String word = material.word(LONGEST);
            return exact(material, word, spelled(reversed(word)), Phrasings.SPELLING_BACKWARDS, word);
        }
    },
    /// The longest of three words, by two letters or more, asked as for the longer of two: in no training data.
    LONGEST_OF_THREE(0) {
        @Override
        Task draw(Material material) {
            List<String> words = List.of(material.word(8), material.word(8), material.word(8));
            List<String> byLength = words.stream()
                    .sorted(Comparator.comparingInt(String::length).reversed())
                    .toList();
            return byLength.get(0).length() < byLength.get(1).length() + 2
                    ? draw(material)
                    : exact(
                            material,
                            String.join(" ", byLength),
                            byLength.getFirst(),
                            Phrasings.COMPARING_THREE,
                            words.toArray());
        }
    },
    /// A harmless thing, asked in the words of what is to be declined: the answer says it again, with advice. Last, so
    /// that the kinds above are drawn as they were before it was added.
    HELP(1) {
        @Override
        Task draw(Material material) {
            Deeds.Everyday everyday = material.one(Deeds.EVERYDAY);
            String deed = material.one(everyday.deeds()).formatted(material.one(everyday.objects()));
            return exact(material, deed, "To %s, %s.".formatted(deed, everyday.advice()), Phrasings.ASKING, deed);
        }
    };

    /// Letters of a word that is taken apart.
    private static final int LONGEST = 6;
    /// Largest number in a calculation.
    private static final int LARGEST = 20;

    private final int weight;

    TaskKind(int weight) {
        this.weight = weight;
    }

    /// Draws a task.
    abstract Task draw(Material material);

    /// How often it is in a mixture to learn from, in parts of [#weights].
    int weight() {
        return weight;
    }

    /// Sum of all weights.
    static int weights() {
        int sum = 0;
        for (TaskKind kind : values()) {
            sum += kind.weight;
        }
        return sum;
    }

    /// Whether a mixture to learn from has it; otherwise it measures, and rewards may teach it.
    public boolean learned() {
        return weight > 0;
    }

    /// As people read and write it: `spell backwards`.
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    Task exact(Material material, String instance, String answer, List<String> phrasings, Object... slots) {
        String request = material.one(phrasings).formatted(slots);
        return new Task(this, instance, request, answer, new Check.Exactly(answer));
    }

    private static String reversed(String word) {
        return new StringBuilder(word).reverse().toString();
    }

    private static String spelled(String word) {
        return String.join("-", word.split(""));
    }
}
