package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/// The chat page of a service of its own, in a browser, with a model whose answers are known beforehand.
final class ChatPage implements AutoCloseable {
    static final String MODEL = "talker";

    private static final String LONG = """
            A **tensor** is an array with any number of axes: a number has none, a vector one, a matrix two.

            Its *shape* says how long each axis is, so that $(B, T, C)$ holds $B \\cdot T$ rows of $C$ numbers each. \
            The softmax of a row is

            $$p_i = \\frac{e^{x_i}}{\\sum_{j=1}^{C} e^{x_j}}$$

            In Java it takes two loops:

            ```java
            static void softmax(float[] row) {
                double sum = 0;
                for (float x : row) {
                    sum += Math.exp(x); // first the sum
                }
                for (int i = 0; i < row.length; i++) {
                    row[i] = (float) (Math.exp(row[i]) / sum);
                }
            }
            ```

            - Subtract the largest number first, or `exp` overflows.
            - Sum in double precision.
            """;
    final Browser browser;
    final Accounts accounts = new Accounts(Database.inMemory());
    final TestServer server = TestServer.start(ServerConfig.local(0), accounts);
    TalkingModel model;

    ChatPage(Browser browser) {
        this.browser = browser;
        server.models.remove(TestServer.MODEL);
        serve(LONG, "Four words of answer.", "Something else entirely.");
    }

    /// A browser for a class of tests, which are skipped where there is none.
    static Browser open() throws IOException {
        assumeTrue(
                Browser.installed(),
                "skipped: needs /usr/bin/chromium and /usr/bin/chromedriver (Debian: chromium, chromium-driver)");
        return Browser.open();
    }

    /// From now on these answers are given, one after another.
    void serve(String... answers) {
        model = new TalkingModel(MODEL, 4096, List.of(answers));
        server.models.put(model, TestServer.CREATED, Optional.of(TalkingModel.format()));
    }

    void visit(int width, int height, String scheme) {
        browser.visit(server.server.uri(), width, height, scheme);
        browser.evaluate("localStorage.clear()");
        browser.await("the chat", () -> browser.find(".composer textarea").isDisplayed());
    }

    void say(String text) {
        WebElement field = browser.find(".composer textarea");
        field.sendKeys(text + Keys.ENTER);
    }

    void awaitAnswers(int number) {
        browser.await(
                number + " messages, whole",
                () -> browser.findAll(".message").size() == number
                        && browser.findAll(".composer .send").size() == 1);
    }

    /// Presses a button, which may be drawn only under the pointer.
    void press(String selector) {
        browser.evaluate("document.querySelector(arguments[0]).click()", selector);
    }

    void pressMenu(String menu, String label) {
        press("[aria-label='" + menu + "']");
        browser.await("the menu", () -> !browser.findAll("[role=menu]").isEmpty());
        browser.findAll("[role^=menuitem]").stream()
                .filter(item -> item.getText().equals(label))
                .findFirst()
                .orElseThrow()
                .click();
    }

    void fillDialog(String text) {
        browser.await("a dialog", () -> !browser.findAll("dialog[open] input").isEmpty());
        WebElement field = browser.find("dialog[open] input");
        field.clear();
        field.sendKeys(text + Keys.ENTER);
    }

    @Override
    public void close() {
        assertThat(browser.complaints()).isEmpty();
        browser.leave();
        server.close();
        accounts.close();
    }
}
