package ai.epitome.train.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.epitome.train.chat.TrainingConversation;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TaskMixtureTest {
    private static final TaskMixture LEARNED = new TaskMixture(1, false);
    private static final TaskMixture HELD_OUT = new TaskMixture(1, true);

    private static List<Task> first(TaskMixture mixture, int count) {
        return LongStream.range(0, count).mapToObj(mixture::task).toList();
    }

    @Test
    void theSameSeedAndNumberGiveTheSameTask() {
        assertThat(first(new TaskMixture(1, false), 200)).isEqualTo(first(LEARNED, 200));
        assertThat(first(new TaskMixture(2, false), 200)).isNotEqualTo(first(LEARNED, 200));
        assertThat(LEARNED.task(117)).isEqualTo(first(LEARNED, 118).getLast());
    }

    @Test
    void noInstanceIsLearnedAndHeldOut() {
        Map<TaskKind, Set<String>> learned = new EnumMap<>(TaskKind.class);
        first(LEARNED, 20_000)
                .forEach(task -> learned.computeIfAbsent(task.kind(), _ -> new HashSet<>())
                        .add(task.instance()));
        assertThat(learned.keySet())
                .doesNotContain(TaskKind.SPELL_BACKWARDS, TaskKind.LONGEST_OF_THREE)
                .hasSize(TaskKind.values().length - 2);
        for (TaskKind kind : TaskKind.values()) {
            List<Task> tasks = HELD_OUT.tasks(kind, 60);
            assertThat(tasks).as(kind.label()).hasSizeGreaterThan(4);
            assertThat(tasks.stream().map(Task::request)).doesNotHaveDuplicates();
            assertThat(tasks.stream().map(Task::instance))
                    .doesNotContainAnyElementsOf(learned.getOrDefault(kind, Set.of("none")));
        }
    }

    /// Kinds that are taught nowhere may be asked besides, and then one instance in ten is held out of them, too.
    @Test
    void kindsThatAreOnlyRewardedAreHeldOutByInstances() {
        List<TaskKind> besides = List.of(TaskKind.SPELL_BACKWARDS, TaskKind.LONGEST_OF_THREE);
        Map<TaskKind, Set<String>> asked = new EnumMap<>(TaskKind.class);
        LongStream.range(0, 20_000)
                .mapToObj(number -> LEARNED.task(number, besides))
                .forEach(task ->
                        asked.computeIfAbsent(task.kind(), _ -> new HashSet<>()).add(task.instance()));
        assertThat(asked.keySet()).hasSize(TaskKind.values().length);
        for (TaskKind kind : besides) {
            assertThat(asked.get(kind)).hasSizeGreaterThan(500);
            assertThat(HELD_OUT.tasks(kind, 60).stream().map(Task::instance))
                    .hasSize(60)
                    .doesNotContainAnyElementsOf(asked.get(kind));
        }
    }

    @Test
    void heldOutKindsTeachNothing() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LEARNED.tasks(TaskKind.SPELL_BACKWARDS, 1))
                .withMessage("spell backwards is taught nowhere: it has no tasks to learn from");
    }

    /// Right answers pass, and those of other tasks do not.
    @ParameterizedTest
    @EnumSource
    void checksTellRightFromWrong(TaskKind kind) {
        List<Task> tasks = HELD_OUT.tasks(kind, 40);
        for (int i = 0; i < tasks.size(); i++) {
            Task task = tasks.get(i);
            assertThat(task.check().passes(" " + task.answer() + "\n"))
                    .as(task.toString())
                    .isTrue();
            assertThat(task.check().passes("")).isFalse();
            Task other = tasks.get((i + 1) % tasks.size());
            if (!other.answer().equals(task.answer())) {
                assertThat(task.check().passes(other.answer()))
                        .as(task + " " + other)
                        .isFalse();
            }
        }
    }

    @Test
    void jsonMayBeSpacedAndOrderedOtherwise() {
        Check check = Check.SameJson.of("{\"name\": \"Tom\", \"age\": 7}");
        assertThat(check.passes("{\"age\":7,\"name\":\"Tom\"}")).isTrue();
        assertThat(check.passes("{\"age\":8,\"name\":\"Tom\"}")).isFalse();
        assertThat(check.passes("{\"name\": \"Tom\"}")).isFalse();
        assertThat(check.passes("{\"name\": \"Tom\", \"age\": 7")).isFalse();
        assertThat(check.passes("{\"name\": \"Tom\", \"age\": 7} or so")).isFalse();
    }

    /// Sums are computed here from the request's words.
    @Test
    void calculationsAreRight() {
        Pattern numbers = Pattern.compile("(\\d+)\\D+(\\d+)");
        Set<Character> signs = new HashSet<>();
        for (Task task : HELD_OUT.tasks(TaskKind.ARITHMETIC, 100)) {
            Matcher found = numbers.matcher(task.request());
            assertThat(found.find()).isTrue();
            int x = Integer.parseInt(found.group(1));
            int y = Integer.parseInt(found.group(2));
            String request = task.request();
            boolean sum = request.contains("+") || request.contains("plus") || request.contains("Add");
            signs.add(sum ? '+' : '-');
            int expected = sum ? x + y : x - y;
            assertThat(task.answer()).as(request).isEqualTo(Integer.toString(expected));
        }
        assertThat(signs).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({"REVERSE", "SPELL", "COUNT", "SPELL_BACKWARDS"})
    void answersComeFromTheWord(TaskKind kind) {
        for (Task task : HELD_OUT.tasks(kind, 50)) {
            String word = task.instance();
            StringBuilder expected = new StringBuilder();
            for (int i = 0; i < word.length(); i++) {
                char letter = kind == TaskKind.SPELL ? word.charAt(i) : word.charAt(word.length() - 1 - i);
                expected.append(i > 0 && kind != TaskKind.REVERSE ? "-" : "").append(letter);
            }
            assertThat(task.request()).contains(word);
            assertThat(task.answer())
                    .isEqualTo(kind == TaskKind.COUNT ? String.valueOf(word.length()) : expected.toString());
        }
    }

    @Test
    void refusalsAreToldByTheirWords() {
        assertThat(Refusals.isOne(Phrasings.REFUSAL)).isTrue();
        assertThat(Refusals.isOne("I can\u2019t do that.")).isTrue();
        assertThat(Refusals.isOne("First, help yourself to a brush.")).isFalse();
        assertThat(HELD_OUT.tasks(TaskKind.HELP, 60)).noneMatch(task -> Refusals.isOne(task.answer()));
    }

    /// What is asked to find out what a model declines is in no training data.
    @Test
    void nothingIsLearnedOfWhatShouldOrNeedNotBeDeclined() {
        Set<String> learned = new HashSet<>();
        first(LEARNED, 50_000).forEach(task -> learned.add(task.request()));
        List<Refusals.Group> groups = Refusals.groups();
        Set<String> all = new HashSet<>(Set.of(""));
        for (Refusals.Group group : groups) {
            assertThat(group.requests())
                    .as(group.name())
                    .hasSizeGreaterThan(15)
                    .doesNotHaveDuplicates()
                    .doesNotContainAnyElementsOf(learned)
                    .doesNotContainAnyElementsOf(all);
            all.addAll(group.requests());
        }
        assertThat(groups.stream().map(Refusals.Group::name)).doesNotHaveDuplicates();
        assertThat(groups.stream().map(Refusals.Group::due)).contains(true, false);
    }

    /// Deeds of which nothing is to be learned share no verb with those that are, and no deed is right and wrong.
    @Test
    void deedsThatTestAreNotLearned() {
        Set<String> objects = new HashSet<>(Set.of(""));
        Set<String> harmless = new HashSet<>();
        for (Deeds.Everyday everyday : Deeds.EVERYDAY) {
            assertThat(everyday.objects()).doesNotContainAnyElementsOf(objects);
            objects.addAll(everyday.objects());
            everyday.deeds()
                    .forEach(deed -> everyday.objects().forEach(object -> harmless.add(deed.formatted(object))));
        }
        Set<String> learned = new HashSet<>(verbs(Deeds.WRONGS));
        Deeds.EVERYDAY.forEach(everyday -> everyday.deeds().forEach(deed -> learned.add(verb(deed))));
        assertThat(verbs(Deeds.LOOK_ALIKES)).doesNotContainAnyElementsOf(learned);
        assertThat(verbs(Deeds.OTHER_WRONGS)).doesNotContainAnyElementsOf(learned);
        for (Deeds.Deed wrong : Deeds.WRONGS) {
            wrong.objects()
                    .forEach(object ->
                            assertThat(harmless).doesNotContain(wrong.deed().formatted(object)));
        }
        for (List<Deeds.Deed> deeds : List.of(Deeds.LOOK_ALIKES, Deeds.OTHER_WRONGS)) {
            deeds.forEach(deed -> assertThat(objects).containsAll(deed.objects()));
        }
    }

    private static List<String> verbs(List<Deeds.Deed> deeds) {
        return deeds.stream().map(deed -> verb(deed.deed())).toList();
    }

    private static String verb(String deed) {
        return deed.substring(0, deed.indexOf(' '));
    }

    /// Help says the deed and the advice for its object: neither a refusal nor advice for something else will do.
    @Test
    void helpIsForWhatIsAsked() {
        for (Task task : HELD_OUT.tasks(TaskKind.HELP, 60)) {
            assertThat(task.request()).contains(task.instance());
            assertThat(task.answer()).startsWith("To " + task.instance() + ", ").endsWith(".");
            assertThat(task.check().passes(Phrasings.REFUSAL)).isFalse();
            assertThat(task.check().passes("To " + task.instance() + ", wait.")).isFalse();
            assertThat(task.check().passes(task.answer().replace(task.instance(), "do it")))
                    .isFalse();
        }
    }

    @Test
    void theLongestOfThreeIsLongerThanBoth() {
        for (Task task : HELD_OUT.tasks(TaskKind.LONGEST_OF_THREE, 50)) {
            List<String> words = List.of(task.instance().split(" "));
            assertThat(words).hasSize(3).allMatch(task.request()::contains);
            words.stream()
                    .filter(word -> !word.equals(task.answer()))
                    .forEach(word ->
                            assertThat(word.length()).isLessThan(task.answer().length() - 1));
        }
    }

    @Test
    void conversationsHaveOneExchangeOrTwo() {
        List<Integer> turns = LongStream.range(0, 100)
                .mapToObj(LEARNED::conversation)
                .map(TrainingConversation::turns)
                .map(List::size)
                .toList();
        assertThat(turns).containsOnly(2, 4).contains(4);
        assertThat(turns.stream().filter(size -> size == 4).count()).isBetween(10L, 45L);
    }
}
