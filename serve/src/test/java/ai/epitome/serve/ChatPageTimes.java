package ai.epitome.serve;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How long the page takes with chats of different lengths; asked for with `-Depitome.page.times=true`. The
/// model answers at once, so that the page's own time is what counts.
@EnabledIfSystemProperty(named = "epitome.page.times", matches = "true")
class ChatPageTimes {
    private static final int ROUNDS = 3;
    /// Milliseconds from the click on a conversation until its last message is painted.
    private static final String OPEN = """
            new Promise(done => {
              const begun = performance.now(), [id, last] = [arguments[0], arguments[1]];
              location.hash = '#/chat/' + id;
              const look = () => document.querySelector('.thread')?.innerText.includes(last)
                ? requestAnimationFrame(() => done(performance.now() - begun)) : requestAnimationFrame(look);
              look();
            })""";
    /// Milliseconds from the Enter key until what was written is painted.
    private static final String SEND = """
            new Promise(done => {
              const field = document.querySelector('.composer textarea'), text = arguments[0];
              field.value = text;
              field.dispatchEvent(new Event('input', {bubbles: true}));
              requestAnimationFrame(() => requestAnimationFrame(() => {
                const begun = performance.now();
                field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
                const look = () => document.querySelector('.thread').innerText.includes(text)
                  ? requestAnimationFrame(() => done(performance.now() - begun)) : requestAnimationFrame(look);
                look();
              }));
            })""";
    /// Milliseconds between frames while the thread goes up by 100 pixels a frame, 200 times.
    private static final String SCROLL = """
            new Promise(done => {
              const thread = document.querySelector('.thread'), times = [];
              thread.scrollTop = thread.scrollHeight;
              let before = 0;
              const step = now => {
                if (before) times.push(now - before);
                before = now;
                thread.scrollTop -= 100;
                if (times.length < 200) requestAnimationFrame(step); else done(times);
              };
              requestAnimationFrame(() => requestAnimationFrame(step));
            })""";

    @ParameterizedTest
    @ValueSource(ints = {10, 1_000})
    void times(int messages) throws IOException {
        try (Accounts accounts = new Accounts(Database.inMemory());
                TestServer server = TestServer.start(ServerConfig.local(0), accounts);
                Browser browser = Browser.open()) {
            server.models.remove(TestServer.MODEL);
            server.models.put(
                    new TalkingModel("talker", 100_000, List.of("Yes.")),
                    TestServer.CREATED,
                    Optional.of(TalkingModel.format()));
            List<Double> open = new ArrayList<>();
            List<Double> send = new ArrayList<>();
            List<Double> frames = new ArrayList<>();
            for (int round = 0; round < ROUNDS; round++) {
                browser.visit(server.server.uri(), 1280, 800, "light");
                browser.await(
                        "the chat", () -> browser.find(".composer textarea").isDisplayed());
                Object id = imported(browser, messages);
                open.add(((Number) browser.promised(OPEN, id, "Answer " + messages / 2)).doubleValue());
                ((List<?>) browser.promised(SCROLL)).forEach(time -> frames.add(((Number) time).doubleValue()));
                browser.evaluate("document.querySelector('.thread').scrollTop = 1e9");
                send.add(((Number) browser.promised(SEND, "And now, number " + round + "?")).doubleValue());
                browser.await(
                        "its answer", () -> browser.findAll(".composer .send").size() == 1);
            }
            System.out.printf(
                    "%d messages: open %.0f ms, send %.0f ms; frames of a scroll: median %.1f ms, 95 of 100 within %.1f ms, longest %.1f ms%n",
                    messages, at(open, 0.5), at(send, 0.5), at(frames, 0.5), at(frames, 0.95), at(frames, 1));
        }
    }

    private static Object imported(Browser browser, int messages) {
        StringBuilder markdown = new StringBuilder("# Long\n");
        for (int i = 1; i <= messages / 2; i++) {
            markdown.append("\n<!-- epitome: user -->\nQuestion ").append(i).append('\n');
            markdown.append("\n<!-- epitome: assistant -->\nAnswer ").append(i).append(" to it.\n\n");
            markdown.append("- with **bold** words, `code`,\n- and $x^2$ in a list.\n\n".repeat(i % 3));
        }
        return browser.promised(
                "fetch('/api/conversations/import', {method: 'POST', headers: {'Content-Type': 'application/json'},"
                        + " body: JSON.stringify({markdown: arguments[0]})}).then(r => r.json()).then(c => c.id)",
                markdown.toString());
    }

    private static double at(List<Double> values, double share) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get((int) Math.min(sorted.size() - 1, sorted.size() * share));
    }
}
