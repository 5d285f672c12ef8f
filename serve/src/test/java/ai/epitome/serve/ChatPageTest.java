package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.UsageRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/// The chat in a real browser: what is said, edited, found and kept.
class ChatPageTest {
    private static final String HOSTILE = """
            ![spy](https://example.org/spy.png) <img src=x onerror=alert(1)> [click](javascript:alert(1))
            """;

    private static Browser browser;

    private ChatPage page;

    @BeforeAll
    static void open() throws IOException {
        browser = ChatPage.open();
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void start() {
        page = new ChatPage(browser);
    }

    @AfterEach
    void stop() {
        page.close();
    }

    private static List<String> titles() {
        return browser.findAll(".list li a").stream().map(WebElement::getText).toList();
    }

    @ParameterizedTest
    @CsvSource({"1280, 800, light", "1280, 800, dark", "390, 844, light", "390, 844, dark"})
    void anAnswerArrivesWordByWordWithCodeAndFormulas(int width, int height, String scheme) throws IOException {
        String name = "chat-" + (width < 600 ? "phone" : "desktop") + "-" + scheme;
        page.accounts.prices().set(ChatPage.MODEL, new Price(150_000, 75_000, 600_000));
        page.visit(width, height, scheme);
        browser.await("the presets", () -> browser.findAll(".presets button").size() == 5);
        assertFits(width);
        browser.picture(name + "-new");

        page.model.allowed = 60;
        page.say("What is a tensor, and how do I write softmax in Java?");
        browser.await("the beginning", () -> browser.text(".message.assistant").contains("The softmax of"));
        browser.await("the formula", () -> !browser.findAll(".katex").isEmpty());
        assertThat(browser.findAll(".composer .stop")).hasSize(1);
        browser.picture(name + "-writing");
        page.model.allowed = Integer.MAX_VALUE;
        page.awaitAnswers(2);
        browser.await("colours", () -> !browser.findAll(".hljs-keyword").isEmpty());
        browser.await(
                "the displayed formula",
                () -> !browser.findAll(".katex-display").isEmpty());
        assertThat(browser.text("figure.code figcaption")).contains("java").contains("Copy");
        assertThat(browser.text(".measures")).contains(" tokens").contains("cost 0.0");
        assertThat(titles()).hasSize(1);
        assertThat(browser.number("document.documentElement.scrollWidth")).isLessThanOrEqualTo(width);
        assertFits(width);
        browser.evaluate("document.querySelector('.thread').scrollTop = 0");
        browser.picture(name);
    }

    @Test
    void whatIsEditedOrAnsweredAgainBecomesABranch() {
        page.serve("first", "second", "third");
        page.visit(1280, 800, "light");
        page.say("Hello");
        page.awaitAnswers(2);
        assertThat(browser.text(".assistant .prose")).isEqualTo("first");
        page.press(".message .again");
        browser.await("another answer", () -> browser.text(".assistant .prose").equals("second"));
        browser.await("its end", () -> browser.text(".assistant .versions").equals("2/2"));
        page.press(".assistant [aria-label='Previous version']");
        browser.await("the first", () -> browser.text(".assistant .prose").equals("first"));

        page.press(".message .edit");
        WebElement editor = browser.find(".editor textarea");
        editor.clear();
        editor.sendKeys("Good evening" + Keys.ENTER);
        browser.await("the third", () -> browser.text(".assistant .prose").equals("third"));
        assertThat(page.model.prompt).contains("Good evening").doesNotContain("Hello");
        browser.await("two questions", () -> browser.text(".user .versions").equals("2/2"));
        page.press(".user [aria-label='Previous version']");
        browser.await("the old branch", () -> browser.text(".bubble").equals("Hello"));
        assertThat(browser.text(".assistant .prose")).isEqualTo("second"); // the newest of the branch
        browser.evaluate("location.reload()");
        browser.await("the same again", () -> browser.text(".bubble").equals("Hello"));
    }

    @Test
    void stopKeepsWhatIsThere() {
        page.visit(1280, 800, "light");
        page.model.allowed = 3;
        page.say("Tell me");
        browser.await("three words", () -> browser.text(".assistant .prose").startsWith("A tensor"));
        browser.find("body").sendKeys(Keys.ESCAPE);
        page.awaitAnswers(2);
        browser.await("what was kept", () -> browser.text(".measures").contains("stopped · 3 tokens"));
        assertThat(browser.text(".bubble")).isEqualTo("Tell me");
        browser.evaluate("location.reload()");
        browser.await("the same again", () -> browser.text(".measures").contains("stopped · 3 tokens"));
        page.model.allowed = Integer.MAX_VALUE;
        page.say("Go on");
        page.awaitAnswers(4);
    }

    @Test
    void conversationsAreFoundRenamedFiledAndDeleted() throws IOException {
        page.visit(1280, 800, "light");
        for (String words : List.of("Bread for a week", "A bicycle", "Wooden boats")) {
            page.say(words);
            page.awaitAnswers(2);
            browser.find(".sidebar .new").click();
            browser.await("a new one", () -> browser.findAll(".message").isEmpty());
        }
        browser.await("three", () -> titles().equals(List.of("Wooden boats", "A bicycle", "Bread for a week")));
        browser.find(".search input").sendKeys("bicyc");
        browser.await("one", () -> titles().equals(List.of("A bicycle")));
        browser.find(".search input").sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE);
        browser.await("three again", () -> titles().size() == 3);

        page.pressMenu("Actions for A bicycle", "Rename");
        page.fillDialog("The red bicycle");
        browser.await("the new name", () -> titles().contains("The red bicycle"));
        page.pressMenu("Actions for The red bicycle", "Move to a folder");
        page.fillDialog("Repairs");
        browser.await("a folder", () -> browser.findAll(".folder").size() == 1);
        assertThat(browser.text(".folder")).contains("Repairs", "The red bicycle");
        browser.picture("chat-folders");
        page.pressMenu("Actions for Bread for a week", "Delete");
        browser.await("the question", () -> !browser.findAll("dialog .danger").isEmpty());
        browser.find("dialog .danger").click();
        browser.await("two", () -> titles().equals(List.of("The red bicycle", "Wooden boats")));
    }

    @Test
    void nothingThatAModelWritesRunsOrLoads() {
        page.serve(HOSTILE);
        page.visit(1280, 800, "dark");
        page.say("<b>bold</b> & <script>alert(1)</script>");
        page.awaitAnswers(2);
        assertThat(browser.text(".bubble")).isEqualTo("<b>bold</b> & <script>alert(1)</script>");
        assertThat(browser.findAll(".message img, .message script")).isEmpty();
        assertThat(browser.text(".prose")).contains("Image: spy", "<img src=x onerror=alert(1)>");
        assertThat(browser.evaluate("[...document.querySelectorAll('.prose a')].map(a => a.getAttribute('href'))"))
                .asString()
                .contains("https://example.org/spy.png")
                .doesNotContain("javascript");
    }

    @Test
    void aModelWithoutATemplateWritesOnInATextAndSettingsCount() throws IOException {
        page.server.models.put(page.model, TestServer.CREATED, Optional.empty());
        browser.visit(page.server.server.uri().resolve("#/chat"), 1280, 800, "light");
        browser.await(
                "the presets that it can",
                () -> browser.findAll(".presets button").size() == 2);
        browser.find(".head [aria-label=Settings]").click();
        WebElement most = browser.find(".panel input[type=number]");
        most.sendKeys(Keys.chord(Keys.CONTROL, "a"), "9" + Keys.TAB);
        WebElement field = browser.find(".composer textarea");
        field.sendKeys("Once upon a time: " + Keys.chord(Keys.CONTROL, Keys.ENTER));
        browser.await("nine tokens", () -> browser.text(".manuscript").contains("is an array"));
        browser.await("the end", () -> browser.findAll(".composer .send").size() == 1);
        assertThat(page.model.prompt).isEqualTo("Once upon a time: ");
        assertThat(browser.findAll(".manuscript .assistant")).hasSize(1);
        browser.picture("chat-manuscript");
        field.sendKeys(Keys.chord(Keys.CONTROL, Keys.ENTER));
        browser.await("more", () -> browser.findAll(".manuscript .assistant").size() == 2);
        browser.await("the end", () -> browser.findAll(".composer .send").size() == 1);
        assertThat(page.model.prompt).startsWith("Once upon a time: A **tensor**");
    }

    private static List<String> presets() {
        return browser.findAll(".preset-row option").stream()
                .map(WebElement::getText)
                .toList();
    }

    @Test
    void settingsAreKeptAsPresets() throws IOException {
        page.visit(1280, 800, "light");
        browser.find(".head [aria-label=Settings]").click();
        WebElement prompt = browser.find(".panel textarea");
        prompt.sendKeys("Answer as a pirate.");
        page.pressMenu("Presets", "Keep as a preset");
        page.fillDialog("Pirate");
        browser.await("the preset", () -> presets().contains("Pirate"));
        assertThat(browser.evaluate("document.querySelector('.preset-row select').selectedOptions[0].text"))
                .isEqualTo("Pirate");
        browser.picture("chat-presets");

        browser.leave();
        browser.visit(page.server.server.uri().resolve("#/chat"), 390, 844, "dark"); // the server keeps them
        browser.await("it again", () -> browser.text(".presets").contains("Pirate"));
        browser.findAll(".presets button").stream()
                .filter(button -> button.getText().equals("Pirate"))
                .findFirst()
                .orElseThrow()
                .click();
        browser.picture("chat-presets-phone");
        page.say("Hello");
        page.awaitAnswers(2);
        assertThat(page.model.prompt).startsWith("system: Answer as a pirate.");

        browser.find(".head [aria-label=Settings]").click();
        page.pressMenu("Presets", "Rename");
        page.fillDialog("Captain");
        browser.await("the new name", () -> presets().contains("Captain"));
        assertThat(presets()).doesNotContain("Pirate");
        browser.find(".panel textarea").sendKeys(" Swear.");
        page.pressMenu("Presets", "Keep as a preset");
        page.fillDialog("Captain");
        browser.await("a question", () -> !browser.findAll("dialog .danger").isEmpty());
        browser.find("dialog .danger").click();
        browser.await(
                "the changed one",
                () -> "Captain"
                        .equals(browser.evaluate(
                                "document.querySelector('.preset-row select').selectedOptions[0].text")));
        page.pressMenu("Presets", "Delete");
        browser.await("a question", () -> !browser.findAll("dialog .danger").isEmpty());
        browser.find("dialog .danger").click();
        browser.await("none of them", () -> presets().contains("None of them"));
        assertThat(presets()).doesNotContain("Captain");
    }

    @Test
    void filesGoAlongAndConversationsComeAsFiles(@TempDir Path folder) throws IOException {
        Path notes = Files.writeString(folder.resolve("notes.txt"), "tomatoes, basil");
        Path binary = Files.write(folder.resolve("x.bin"), new byte[] {0, 1, (byte) 0xFF});
        page.visit(1280, 800, "light");
        browser.find(".composer input[type=file]").sendKeys(binary.toString());
        browser.await(
                "the refusal",
                () -> browser.findAll(".failure").stream()
                        .anyMatch(e -> e.getText().contains("x.bin is not text")));
        browser.find(".composer input[type=file]").sendKeys(notes.toString());
        browser.await("the file", () -> browser.findAll(".composer .file").size() == 1);
        page.say("What can I cook?");
        page.awaitAnswers(2);
        assertThat(page.model.prompt).contains("notes.txt:\n```\ntomatoes, basil\n```\n\nWhat can I cook?");
        assertThat(browser.text(".bubble")).contains("notes.txt", "What can I cook?");

        Path file = Files.writeString(
                folder.resolve("c.md"),
                "# Old talk\n\n<!-- epitome: user -->\nHi\n\n" + "<!-- epitome: assistant -->\nHo\n");
        browser.find("#import-file").sendKeys(file.toString());
        browser.await("it", () -> browser.text(".head h2").equals("Old talk"));
        browser.await("its answer", () -> browser.findAll(".message").size() == 2);
        assertThat(browser.text(".assistant .prose")).isEqualTo("Ho");
    }

    @Test
    void theServiceShowsModelsUsageAndKeys() throws IOException {
        page.accounts.prices().set(ChatPage.MODEL, new Price(150_000, 75_000, 600_000));
        for (int day = 0; day < 30; day += 1) {
            long tokens = 40_000 + 23_000L * (day * 7 % 5) - 900L * day;
            page.accounts.record(new UsageRow(
                    "req_" + day,
                    Instant.now().minus(Duration.ofDays(day)),
                    Optional.empty(),
                    Optional.of(ChatPage.MODEL),
                    "/v1/chat/completions",
                    tokens,
                    0,
                    tokens / 4,
                    200,
                    1_000_000,
                    60_000_000_000L));
        }
        page.visit(1280, 860, "light");
        page.say("Hello");
        page.awaitAnswers(2);
        browser.find(".sidebar [href='#/admin']").click();
        browser.await("the plots", () -> browser.findAll(".plot .bar").size() == 30);
        browser.await("a look", () -> browser.findAll(".tiles dd").size() == 4);
        assertThat(browser.text(".admin")).contains(ChatPage.MODEL, "4,096", "0.15 / 0.60");
        browser.find(".new-key input").sendKeys("laptop" + Keys.ENTER);
        browser.await("the key", () -> !browser.findAll(".secret code").isEmpty());
        assertThat(page.accounts.keys().find(browser.text(".secret code")))
                .as("a key whose texts the service's own policy is for")
                .hasValueSatisfying(key -> assertThat(key.moderation()).isEmpty());
        browser.await("a second look", () -> browser.findAll(".plot .curve").size() == 1);
        browser.picture("admin");
        page.press("[aria-label='End laptop']");
        browser.await("the question", () -> !browser.findAll("dialog .danger").isEmpty());
        browser.find("dialog .danger").click();
        browser.await("its end", () -> browser.text(".admin").contains("revoked"));
        browser.visit(page.server.server.uri().resolve("#/admin"), 390, 844, "dark");
        browser.await("the plots", () -> browser.findAll(".plot .bar").size() == 30);
        assertFits(390);
        browser.picture("admin-phone");
    }

    @Test
    void aChatOfAThousandMessagesStaysLight() throws IOException {
        StringBuilder markdown = new StringBuilder("# Long\n");
        for (int i = 1; i <= 500; i++) {
            markdown.append("\n<!-- epitome: user -->\nQuestion ").append(i).append('\n');
            markdown.append("\n<!-- epitome: assistant -->\nAnswer **")
                    .append(i)
                    .append("** to it.\n\n".repeat(i % 3 + 1));
        }
        page.visit(1280, 800, "light");
        Object id = browser.promised(
                "fetch('/api/conversations/import', {method: 'POST', headers: {'Content-Type': 'application/json'},"
                        + " body: JSON.stringify({markdown: arguments[0]})}).then(r => r.json()).then(c => c.id)",
                markdown.toString());
        browser.evaluate("location.hash = '#/chat/' + arguments[0]", id);
        browser.await("its end", () -> browser.text(".thread").contains("Answer 500"));
        assertThat(browser.findAll(".message").size()).isBetween(4, 40);
        browser.await(
                "the end of the thread",
                () -> browser.number(
                                "(t => t.scrollHeight - t.scrollTop - t.clientHeight)(document.querySelector('.thread'))")
                        < 2);
        browser.evaluate("document.querySelector('.thread').scrollTop = 0");
        browser.await("its beginning", () -> browser.text(".thread").contains("Question 1\n"));
        assertThat(browser.findAll(".message").size()).isBetween(4, 40);
        page.say("And now?");
        browser.await("the new answer", () -> browser.text(".thread").contains("And now?"));
        browser.await("its end", () -> browser.findAll(".composer .send").size() == 1);
        assertThat(browser.findAll(".message").size()).isBetween(2, 40);
    }

    /// Nothing that is shown is wider than the screen.
    private static void assertFits(int width) {
        assertThat(browser.number("""
                [...document.querySelectorAll(".middle *")].filter(e => e.checkVisibility() && !e.closest("figure, .math, .table")
                    && e.getBoundingClientRect().right > arguments[0] + 1).length""", width)).as("elements that stick out").isZero();
    }
}
