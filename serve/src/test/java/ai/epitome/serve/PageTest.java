package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.serve.page.ProgressEvent;
import ai.epitome.serve.page.TrainingProgress;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/// The page in a real browser, with a training run that never took place and a model that knows one verse.
class PageTest {
    private static final List<String> COMPRESSORS =
            List.of("gzip -9", "zstd -19", "xz -9e", "bzip2 -9"); // from worst to best

    private static Browser browser;

    private final TrainingProgress progress = new TrainingProgress();
    private TestServer server;

    @BeforeAll
    static void open() throws IOException {
        assumeTrue(
                Browser.installed(),
                "skipped: needs /usr/bin/chromium and /usr/bin/chromedriver (Debian: chromium, chromium-driver)");
        browser = Browser.open();
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void start() {
        server = TestServer.start(ServerConfig.local(0), 1, Optional.of(progress));
        server.models.remove(TestServer.MODEL);
        FakeTraining.begin(progress);
    }

    @AfterEach
    void stop() {
        assertThat(browser.complaints()).isEmpty();
        browser.leave(); // a page that is still open looks for its server, and the next test would hear of it
        server.close();
    }

    private void visit(int width, int height, String scheme) {
        browser.visit(server.server.uri(), width, height, scheme);
    }

    private void train(int from, int to) {
        for (int step = from; step <= to; step++) {
            FakeTraining.step(progress, step);
        }
    }

    /// There are weights: the playground may open.
    private void finish() {
        server.models.put(server.model);
        progress.publish(new ProgressEvent.StatusChanged(ProgressEvent.Phase.READY, ""));
    }

    private static void awaitPlayground() {
        browser.await("the playground", () -> browser.find("#form").isDisplayed());
    }

    private static void awaitEnd() {
        browser.await("the end of the completion", () -> browser.find("#run").isEnabled());
    }

    private static void type(String selector, String text) {
        WebElement field = browser.find(selector);
        field.clear();
        field.sendKeys(text);
    }

    /// The text of an element to the last character: what WebDriver calls its text ends before a line break.
    private static Object content(String selector) {
        return browser.evaluate("document.querySelector(arguments[0]).textContent", selector);
    }

    /// Vertical place of the newest measurement, downwards.
    private static double head() {
        return browser.number("document.querySelector('#chart circle.head').cy.baseVal.value");
    }

    private static double line(String compressor) {
        return browser.number(
                "document.querySelector(`#chart line.baseline[data-name='${arguments[0]}']`).y1.baseVal.value",
                compressor);
    }

    private static Object passed() {
        return browser.evaluate(
                "[...document.querySelectorAll('#chart text.baseline-label.passed')].map(e => e.dataset.name)");
    }

    @Test
    void theCurveFallsPastTheOtherCompressors() throws IOException {
        visit(1280, 860, "light");
        browser.await("lines", () -> browser.findAll("#chart line.baseline").size() == 4);
        assertThat(browser.text("#chart")).contains("gzip 3.10", "xz 2.52", "bzip2 2.40", "first measurement");

        train(1, 25);
        browser.await(
                "the first measurement",
                () -> !browser.findAll("#chart path.curve").isEmpty());
        assertThat(COMPRESSORS).allSatisfy(name -> assertThat(head()).isLessThan(line(name)));
        assertThat(passed()).isEqualTo(List.of());
        assertThat(browser.text("#verdict")).contains("Next: gzip -9 at 3.10");

        train(26, 125);
        browser.await("gzip to be passed", () -> passed().equals(List.of("gzip -9")));
        assertThat(head()).isGreaterThan(line("gzip -9")).isLessThan(line("zstd -19"));
        assertThat(browser.text("#verdict")).contains("better than gzip -9", "Next: zstd -19 at 2.54");

        train(126, 600);
        browser.await("all to be passed", () -> passed().equals(COMPRESSORS));
        browser.await("the last step", () -> browser.text("#step").equals("600"));
        assertThat(COMPRESSORS).allSatisfy(name -> assertThat(head()).isGreaterThan(line(name)));
        assertThat(browser.findAll("#chart circle.crossing")).hasSize(4);
        assertThat(Double.parseDouble(browser.text("#bits"))).isCloseTo(FakeTraining.heldOut(600), within(0.0005));
        assertThat(browser.text("#status")).isEqualTo("Training");
        browser.picture("training-desktop");
        finish();
        browser.await("the end of training", () -> browser.text("#status").equals("Ready"));
    }

    @Test
    void whoComesLaterSeesAllOfIt() {
        train(1, 300);
        visit(1280, 860, "dark");
        browser.await("the curve", () -> passed().equals(COMPRESSORS));
        assertThat(browser.findAll("#sample-list li")).hasSize(2);
        assertThat(browser.text("#title")).isEqualTo("3.3M-parameter byte model on tinyshakespeare");
        assertThat(browser.text("#kernels")).contains("oneDNN");
    }

    @Test
    void aFinishedRunThatIsFoundAgainLooksAsItDidAtItsEnd() throws IOException {
        visit(1280, 860, "light");
        train(1, FakeTraining.STEPS);
        finish();
        awaitPlayground();
        browser.await("the last measurement", () -> drawn().contains("in 3:00"));
        String before = look();
        assertThat(before).contains("better than", "900", "done", "JULIET");
        server.close();

        var again = new TrainingProgress();
        FakeTraining.begin(again);
        for (int step = 1; step <= FakeTraining.STEPS; step++) {
            FakeTraining.step(again, step);
        }
        again.publish(new ProgressEvent.StatusChanged(ProgressEvent.Phase.READY, ""));
        server = TestServer.start(ServerConfig.local(0), 1, Optional.of(again));
        browser.complaints(); // of refused connections
        visit(1280, 860, "light");
        awaitPlayground();
        browser.await("the last measurement", () -> drawn().contains("in 3:00"));
        assertThat(look()).isEqualTo(before);
        browser.picture("found-again");
    }

    /// The chart in words.
    private static String drawn() {
        return String.valueOf(browser.evaluate("document.querySelector('#chart svg').getAttribute('aria-label')"));
    }

    /// All that the page shows of a run.
    private static String look() {
        return browser.evaluate("document.getElementById('chart').innerHTML")
                + browser.text("#learning")
                + browser.text("#samples")
                + browser.text("#title")
                + browser.text("#status");
    }

    @Test
    void aModelThatWasTrainedBeforeHasThePlaygroundToItself() throws IOException {
        finish();
        visit(1280, 860, "dark");
        awaitPlayground();
        browser.await("the status", () -> browser.text("#status").equals("Ready"));
        assertThat(browser.find("#learning").isDisplayed()).isFalse();
        assertThat(browser.find("#samples").isDisplayed()).isFalse();
        browser.picture("trained-before");
    }

    @Test
    void samplesAppearAsTextTheNewestFirst() {
        visit(1280, 860, "light");
        browser.await("the connection", () -> browser.text("#status").equals("Training"));
        assertThat(browser.text("#no-samples")).isNotEmpty();
        String hostile = "<img src=x onerror=alert(1)> & <b>bold</b>";
        progress.publish(new ProgressEvent.Sample(1, "", "first"));
        progress.publish(new ProgressEvent.Sample(2, "ROMEO:", hostile));
        browser.await("two samples", () -> browser.findAll("#sample-list li").size() == 2);
        assertThat(browser.text("#sample-list li")).isEqualTo("step 2\nROMEO:" + hostile);
        assertThat(browser.findAll("#samples img")).isEmpty();
        assertThat(browser.text("#no-samples")).isEmpty();
    }

    @Test
    void aFailedRunSaysWhy() {
        visit(1280, 860, "light");
        progress.publish(new ProgressEvent.StatusChanged(ProgressEvent.Phase.FAILED, "the disk is full"));
        browser.await("the alert", () -> browser.text("#alert").equals("Training failed. the disk is full"));
        assertThat(browser.text("#status")).isEqualTo("Failed");
    }

    @Test
    void findsAServerThatCameBack() {
        visit(1280, 860, "light");
        browser.await("the connection", () -> browser.text("#status").equals("Training"));
        int port = server.port();
        server.close();
        browser.await("the loss", () -> browser.text("#status").startsWith("Connection lost"));
        train(1, 100);
        server = TestServer.start(ServerConfig.local(port), 1, Optional.of(progress));
        browser.await("all that happened meanwhile", () -> browser.text("#step").equals("100"));
        assertThat(browser.text("#status")).isEqualTo("Training");
        browser.complaints(); // of refused connections
    }

    @ParameterizedTest
    @CsvSource({"1280, 860, light", "390, 844, dark"})
    void thePlaygroundOpensWithTheWeightsAndWrites(int width, int height, String scheme) throws IOException {
        String name = "playground-" + width + "-" + scheme;
        visit(width, height, scheme);
        train(1, 600);
        browser.await("the last step", () -> browser.text("#step").equals("600"));
        assertThat(browser.find("#form").isDisplayed()).isFalse();
        assertThat(browser.text("#waiting")).contains("opens as soon as there is a model");
        assertFitsScreen(width);
        browser.picture(name + "-before");

        finish();
        awaitPlayground();
        assertThat(browser.text("#waiting")).isEmpty();
        assertThat(browser.text("#model-one")).isEqualTo(TestServer.MODEL);
        type("#prompt", "HAMLET:\n");
        browser.find("#temperature").sendKeys(Keys.HOME); // 0
        server.model.allowed = 18;
        browser.find("#run").click();
        browser.await("what there is so far", () -> browser.text("#text").equals("To be, or not to b"));
        assertThat(browser.find("#run").isEnabled()).isFalse();
        assertFitsScreen(width);
        browser.picture(name + "-writing");
        server.model.allowed = Integer.MAX_VALUE;
        awaitEnd();
        assertThat(browser.text("#output")).startsWith("HAMLET:\nTo be, or not to be, that is the question:\n");
        assertThat(browser.text("#rate")).startsWith("400 tokens").contains("max tokens reached");
        assertFitsScreen(width);
        browser.picture(name + "-after");
    }

    /// The seed chooses text whose tenth character is a line break.
    @Test
    void stopEndsACompletionAndContinueGoesOn() {
        finish();
        visit(1280, 860, "light");
        awaitPlayground();
        server.model.allowed = 10;
        type("#seed", "33");
        type("#prompt", "x" + Keys.chord(Keys.CONTROL, Keys.ENTER));
        browser.await("ten tokens", () -> content("#text").equals("question:\n"));
        browser.find("#halt").click();
        awaitEnd();
        assertThat(browser.text("#rate")).contains("stopped");
        browser.await("the model to be free", () -> server.model.running.get() == 0);
        assertThat(content("#text")).isEqualTo("question:\n");

        server.model.allowed = Integer.MAX_VALUE;
        type("#max-tokens", "5");
        browser.find("#more").click();
        browser.await("five more", () -> browser.text("#rate").contains("max tokens reached"));
        assertThat(content("#given")).isEqualTo("xquestion:\n");
        assertThat(content("#text")).isEqualTo("quest");
    }

    @Test
    void temperatureSeedAndStopStringCount() {
        finish();
        visit(1280, 860, "light");
        awaitPlayground();
        type("#seed", "14");
        type("#stop", "question");
        browser.find("#run").click();
        awaitEnd();
        assertThat(browser.text("#text")).isEqualTo("to be, that is the "); // warm: the seed counts
        assertThat(browser.text("#rate")).contains("the text ended");
        browser.find("#temperature").sendKeys(Keys.HOME);
        assertThat(browser.text("output[for=temperature]")).isEqualTo("0.00");
        browser.find("#run").click();
        awaitEnd();
        assertThat(browser.text("#text")).isEqualTo("To be, or not to be, that is the ");
    }

    @Test
    void whatTheServerRefusesIsShown() {
        finish();
        visit(1280, 860, "light");
        awaitPlayground();
        server.models.remove(TestServer.MODEL);
        browser.find("#run").click();
        browser.await("the message", () -> browser.text("#rate").contains("No model is ready yet"));
        browser.complaints(); // a refused request is told in the log, too
    }

    /// Nothing is wider than the screen, and nothing lies on anything else.
    private static void assertFitsScreen(int width) {
        assertThat(browser.number("document.documentElement.scrollWidth")).isLessThanOrEqualTo(width);
        assertThat(browser.number("""
                [...document.querySelectorAll("main *")].filter(e => e.checkVisibility()
                    && e.getBoundingClientRect().right > arguments[0]).length""", width)).as("elements that stick out").isZero();
        assertThat(browser.number("""
                [...document.querySelectorAll("#chart text")].filter(e => e.getBoundingClientRect().right
                    > document.getElementById("chart").getBoundingClientRect().right + 1).length""")).as("labels that stick out of the chart").isZero();
        assertThat(browser.number("""
                (() => {
                  const boxes = [...document.querySelectorAll("#chart text")].map(e => e.getBoundingClientRect());
                  return boxes.filter((a, i) => boxes.some((b, j) => i < j && a.left < b.right - 1 && b.left < a.right - 1
                      && a.top < b.bottom - 3 && b.top < a.bottom - 3)).length;
                })()"""))
                .as("labels of the chart that lie on others")
                .isZero();
    }
}
