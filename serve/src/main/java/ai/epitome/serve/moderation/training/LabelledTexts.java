package ai.epitome.serve.moderation.training;

import ai.epitome.serve.moderation.Category;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Texts to learn from and to measure on, collected from files of JSON lines (`.jsonl`, `.jsonl.gz`), each
/// text once:
///
/// - `{"text": "...", "categories": ["hate"]}`: a text with what it is of
/// - `{"chosen": "\n\nHuman: ...", "rejected": "..."}`: dialogues; turns of them whose hash the labels have
/// - files of texts that are known to be clean: `"..."`, or objects with `text`, `question`, `instruction`,
///   `ctx`, `context` or `goal`
///
/// Labels are lines `HASH TAB CATEGORY ...` with the first 16 digits of a text's SHA-256, so that they can
/// be shared without the texts.
public final class LabelledTexts {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final int HASH_DIGITS = 16;
    private static final int PARAGRAPHS = 3_000;
    private static final int SHORTEST = 40;
    private static final int LONGEST = 400;
    private static final Pattern TURN =
            Pattern.compile("\n\n(?:Human|Assistant): ?(.*?)(?=\n\nHuman:|\n\nAssistant:|\\z)", Pattern.DOTALL);
    private static final List<String> CLEAN_FIELDS =
            List.of("text", "question", "instruction", "ctx", "context", "goal");

    private final Map<String, Set<Category>> labels = new HashMap<>();
    /// By hash, so that the order of files does not matter.
    private final Map<String, LabelledText> texts = new TreeMap<>();

    /// @throws IOException when the file cannot be read, or a line has no label
    public LabelledTexts label(Path file) throws IOException {
        int number = 0;
        for (String line : Files.readAllLines(file)) {
            number++;
            if (line.startsWith("#")) {
                continue;
            }
            String[] parts = line.split("\t", -1);
            if (parts.length != 2 || parts[0].length() != HASH_DIGITS) {
                throw wrong(file, number, "expected 16 digits of a hash, a tab and categories");
            }
            List<String> words = Arrays.stream(parts[1].split(" "))
                    .filter(word -> !word.isEmpty())
                    .toList();
            labels.put(parts[0], categories(file, number, words));
        }
        return this;
    }

    /// @param clean whether every text of the file is of no category
    /// @throws IOException when the file cannot be read, or a line is of none of the forms
    public LabelledTexts add(Path file, boolean clean) throws IOException {
        try (BufferedReader reader = open(file)) {
            int number = 0;
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                if (!line.isBlank()) {
                    add(file, number, json(file, number, line), clean);
                }
            }
        }
        return this;
    }

    private void add(Path file, int number, JsonNode line, boolean clean) throws IOException {
        if (clean) {
            clean(file, number, line);
        } else if (line.has("chosen")) {
            dialogue(line.path("chosen").asString(""));
            dialogue(line.path("rejected").asString(""));
        } else if (line.path("text").isString() && line.path("categories").isArray()) {
            List<String> words = line.path("categories")
                    .valueStream()
                    .map(each -> each.asString(""))
                    .toList();
            keep(line.path("text").stringValue(), categories(file, number, words));
        } else {
            throw wrong(file, number, "expected 'text' with 'categories', or 'chosen' with 'rejected'");
        }
    }

    private void dialogue(String turns) {
        for (Matcher turn = TURN.matcher(turns); turn.find(); ) {
            String text = turn.group(1).strip();
            Set<Category> categories = labels.get(LabelledText.hash(text).substring(0, HASH_DIGITS));
            if (categories != null) {
                keep(text, categories);
            }
        }
    }

    /// Every text in it, wherever it stands.
    private void clean(Path file, int number, JsonNode line) throws IOException {
        List<JsonNode> found = line.isString()
                ? List.of(line)
                : CLEAN_FIELDS.stream()
                        .flatMap(field -> line.findValues(field).stream())
                        .filter(JsonNode::isString)
                        .toList();
        if (found.isEmpty()) {
            throw wrong(file, number, "expected a text, or one of the fields " + CLEAN_FIELDS);
        }
        found.forEach(text -> keep(text.stringValue(), Set.of()));
    }

    /// Adds paragraphs of documents that are known to be clean: of those that are neither very short nor
    /// long, as many as [#PARAGRAPHS], chosen by their hashes.
    public LabelledTexts addProse(Iterator<byte[]> documents) {
        TreeMap<String, String> chosen = new TreeMap<>();
        while (documents.hasNext()) {
            String document = new String(documents.next(), StandardCharsets.UTF_8);
            for (String paragraph : document.split("\n\\s*\n")) {
                String text = paragraph.strip().replaceAll("\\s+", " ");
                if (text.length() >= SHORTEST && text.length() <= LONGEST) {
                    chosen.put(LabelledText.hash(text), text);
                    if (chosen.size() > PARAGRAPHS) {
                        chosen.pollLastEntry();
                    }
                }
            }
        }
        chosen.forEach((hash, text) -> keep(fragment(hash, text), Set.of()));
        return this;
    }

    /// Every other paragraph is cut to its first words, one to sixteen: what people and models say is often
    /// that short.
    private static String fragment(String hash, String text) {
        int random = Integer.parseInt(hash, 24, 28, 16);
        String[] words = text.split(" ");
        int length = random % 2 == 0 ? words.length : Math.min(words.length, 1 + random / 2 % 16);
        return String.join(" ", Arrays.asList(words).subList(0, length));
    }

    private void keep(String text, Set<Category> categories) {
        if (!text.isBlank()) {
            LabelledText labelled = LabelledText.of(text, categories);
            texts.putIfAbsent(labelled.hash(), labelled);
        }
    }

    /// All of them, in the order of their hashes.
    public List<LabelledText> all() {
        return texts.values().stream()
                .sorted(Comparator.comparing(LabelledText::hash))
                .toList();
    }

    private static Set<Category> categories(Path file, int number, List<String> words) throws IOException {
        Set<Category> categories = EnumSet.noneOf(Category.class);
        for (String word : words) {
            categories.add(
                    Category.of(word).orElseThrow(() -> wrong(file, number, "there is no category '" + word + "'")));
        }
        return categories;
    }

    private static JsonNode json(Path file, int number, String line) throws IOException {
        try {
            return MAPPER.readTree(line);
        } catch (JacksonException e) {
            throw wrong(file, number, "expected one JSON value");
        }
    }

    private static IOException wrong(Path file, int number, String what) {
        return new IOException(file + ", line " + number + ": " + what + ".");
    }

    static BufferedReader open(Path file) throws IOException {
        InputStream raw = Files.newInputStream(file);
        InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw;
        return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    }
}
