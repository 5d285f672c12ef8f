package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.conversation.ConversationStore;
import ai.epitome.serve.conversation.Preferences;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/// What people say of answers in the chat, in a real browser, and what preferences come of it.
class ChatFeedbackPageTest {
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

    @Test
    void answersAreRatedAndCompared() throws IOException {
        page.serve(
                "A tensor is an array with any number of axes.", "Numbers in a grid: rows, columns, and further axes.");
        page.visit(1280, 800, "light");
        page.say("What is a tensor?");
        page.awaitAnswers(2);
        page.press("[aria-label='Bad answer']");
        browser.await("the note", () -> !browser.findAll(".note input").isEmpty());
        browser.find(".note input").sendKeys("too short" + Keys.ENTER);
        browser.await(
                "it",
                () -> browser.findAll(".noted").stream()
                        .anyMatch(e -> e.getText().equals("too short")));

        page.press(".message .compare");
        browser.await("both", () -> browser.findAll(".better:enabled").size() == 2);
        assertThat(browser.findAll(".side").stream().map(WebElement::getText))
                .anyMatch(text -> text.contains("with any number of axes"))
                .anyMatch(text -> text.contains("Numbers in a grid"));
        browser.picture("chat-compare");
        browser.find(".why").sendKeys("plainer");
        boolean left = browser.text(".side").contains("Numbers in a grid");
        browser.findAll(".better").get(left ? 0 : 1).click();
        browser.await(
                "the better one",
                () -> browser.findAll(".prose").size() == 1
                        && browser.text(".prose").startsWith("Numbers"));
        List<String> examples = new ArrayList<>();
        Preferences.write(
                new ConversationStore(page.accounts.database()),
                Preferences.Form.PAIRS,
                example -> examples.add(example.toString()));
        assertThat(examples)
                .hasSize(1)
                .allSatisfy(example -> assertThat(example)
                        .contains("\"chosen\":[{\"role\":\"assistant\",\"content\":\"Numbers", "\"note\":\"plainer\""));
    }

    @Test
    void twoAnswersMayBeEquallyGood() throws IOException {
        page.serve(
                "A tensor is an array with any number of axes.", "Numbers in a grid: rows, columns, and further axes.");
        page.visit(390, 844, "dark");
        page.say("What is a tensor?");
        page.awaitAnswers(2);
        page.press(".message .compare");
        browser.await("both", () -> browser.findAll(".better:enabled").size() == 2);
        browser.picture("chat-compare-phone");
        browser.find(".why").sendKeys("both say it");
        browser.find(".equal").click();
        browser.await("the conversation", () -> browser.findAll(".comparison").isEmpty());
        assertThat(browser.text(".prose")).startsWith("A tensor is an array"); // the one that was there stays
        assertThat(exported(Preferences.Form.PAIRS)).isEmpty();
        assertThat(exported(Preferences.Form.TIES))
                .singleElement()
                .asString()
                .contains("\"answers\":[[{\"role\":\"assistant\",\"content\":\"A tensor", "\"note\":\"both say it\"");

        page.press(".message .compare"); // and by a key
        browser.await("both again", () -> browser.findAll(".better:enabled").size() == 2);
        browser.find(".comparison").sendKeys("1");
        browser.await("the conversation", () -> browser.findAll(".comparison").isEmpty());
        assertThat(exported(Preferences.Form.PAIRS)).hasSize(1);
        assertThat(exported(Preferences.Form.TIES)).isEmpty();
        page.press(".message .compare");
        browser.await("both once more", () -> browser.findAll(".better:enabled").size() == 2);
        browser.find(".comparison").sendKeys("0");
        browser.await("the conversation", () -> browser.findAll(".comparison").isEmpty());
        assertThat(exported(Preferences.Form.TIES)).hasSize(1);
    }

    private List<String> exported(Preferences.Form form) {
        List<String> examples = new ArrayList<>();
        Preferences.write(
                new ConversationStore(page.accounts.database()), form, example -> examples.add(example.toString()));
        return examples;
    }
}
