package ai.epitome.serve.moderation.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import ai.epitome.serve.moderation.Category;
import ai.epitome.serve.moderation.LinearClassifier;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassifierTrainingTest {
    private static final List<String> BAD = List.of("wicked", "nasty", "vile", "foul");
    private static final List<String> PLAIN =
            List.of("table", "window", "garden", "river", "letter", "morning", "bread", "lamp", "coat", "road");

    private static List<LabelledText> texts(int count) {
        Random random = new Random(3);
        List<LabelledText> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean bad = i % 4 == 0;
            List<String> words = new ArrayList<>();
            for (int w = 0; w < 8; w++) {
                words.add(PLAIN.get(random.nextInt(PLAIN.size())));
            }
            if (bad) {
                words.set(random.nextInt(8), BAD.get(random.nextInt(BAD.size())));
            }
            texts.add(LabelledText.of(String.join(" ", words) + " " + i, bad ? Set.of(Category.HATE) : Set.of()));
        }
        return texts;
    }

    private static byte[] written(LinearClassifier classifier) throws IOException {
        var out = new ByteArrayOutputStream();
        classifier.write(out);
        return out.toByteArray();
    }

    @Test
    void learnsWhatTellsTextsApartAndAlwaysTheSame() throws IOException {
        List<LabelledText> texts = texts(400);
        List<String> told = new ArrayList<>();
        LinearClassifier classifier = ClassifierTraining.learn(texts, told::add);
        assertThat(classifier.categories()).containsExactly(Category.HATE);
        assertThat(told).anyMatch(line -> line.startsWith("sexual: 0 texts, too few"));
        List<Evaluation.Judged> judged = texts.stream()
                .filter(LabelledText::isHeldOut)
                .map(text -> {
                    double score = classifier.scores(text.text()).get(Category.HATE);
                    return new Evaluation.Judged(
                            score,
                            classifier.flags(Category.HATE, score),
                            !text.categories().isEmpty());
                })
                .toList();
        Evaluation result = Evaluation.of(judged);
        assertThat(result.texts()).isBetween(60, 140);
        assertThat(result.auc()).isGreaterThan(0.99);
        assertThat(result.f1()).isGreaterThan(0.9);
        assertThat(written(ClassifierTraining.learn(texts, _ -> {}))).isEqualTo(written(classifier));
    }

    @Test
    void figuresOfAnEvaluation() {
        Evaluation result = Evaluation.of(List.of(
                new Evaluation.Judged(0.9, true, true),
                new Evaluation.Judged(0.8, true, false),
                new Evaluation.Judged(0.4, false, true),
                new Evaluation.Judged(0.4, false, false),
                new Evaluation.Judged(0.1, false, false)));
        Offset<Double> near = Offset.offset(1e-12);
        assertThat(result.precision()).isEqualTo(0.5, near);
        assertThat(result.recall()).isEqualTo(0.5, near);
        assertThat(result.f1()).isEqualTo(0.5, near);
        assertThat(result.auc()).isEqualTo((3 + 1.5) / 6, near); // pairs in order; equal ones count half
        assertThat(result.brier()).isEqualTo((0.01 + 0.64 + 0.36 + 0.16 + 0.01) / 5, near);
        assertThat(result.calibrationError()).isEqualTo((0.1 + 0.8 + 0.2 + 0.1) / 5, near);
    }

    @Test
    void textsComeFromFiles(@TempDir Path folder) throws IOException {
        String turn = "What is this?";
        Path labels = Files.writeString(
                folder.resolve("labels.tsv"),
                "# a comment\n" + LabelledText.hash(turn).substring(0, 16) + "\thate violence\n");
        Path pairs = Files.writeString(
                folder.resolve("pairs.jsonl"),
                "{\"chosen\": \"\\n\\nHuman: What is this?\\n\\nAssistant: That.\", \"rejected\": \"\"}\n");
        Path own = Files.writeString(
                folder.resolve("own.jsonl"), "{\"text\": \"a text\", \"categories\": [\"sexual\"]}\n");
        Path clean = Files.writeString(
                folder.resolve("clean.jsonl"),
                "\"one\"\n{\"question\": \"two\", \"replies\": [{\"text\": \"three\"}]}\n");
        List<LabelledText> texts = new LabelledTexts()
                .label(labels)
                .add(pairs, false)
                .add(own, false)
                .add(clean, true)
                .addProse(List.of(("short\n\n" + "a long paragraph of words\n".repeat(4))
                                .getBytes(StandardCharsets.UTF_8))
                        .iterator())
                .all();
        assertThat(texts)
                .extracting(LabelledText::text, LabelledText::categories)
                .containsExactlyInAnyOrder(
                        tuple(turn, Set.of(Category.HATE, Category.VIOLENCE)),
                        tuple("a text", Set.of(Category.SEXUAL)),
                        tuple("one", Set.of()),
                        tuple("two", Set.of()),
                        tuple("three", Set.of()),
                        tuple("a long paragraph of words ".repeat(4).strip(), Set.of()));
        Files.writeString(own, "{\"text\": \"x\", \"categories\": [\"rude\"]}\n");
        assertThatThrownBy(() -> new LabelledTexts().add(own, false))
                .hasMessageContaining("own.jsonl, line 1: there is no category 'rude'");
    }

    @Test
    void tablesHaveQuotedFields(@TempDir Path folder) throws IOException {
        Path table = Files.writeString(
                folder.resolve("t.csv"),
                "n,sample,toxicity\r\n1,\"a \"\"quoted\"\", text\nof two lines\",0.5\n2,plain,0.49\n3,,1\n");
        assertThat(ToxicityTable.read(table))
                .containsExactly(
                        new ToxicityTable.Row("a \"quoted\", text\nof two lines", true),
                        new ToxicityTable.Row("plain", false),
                        new ToxicityTable.Row("", true));
        Files.writeString(table, "a,b\n1,2\n");
        assertThatThrownBy(() -> ToxicityTable.read(table)).hasMessageContaining("'sample' and 'toxicity'");
    }
}
