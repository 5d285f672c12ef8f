package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/// The page's parser of server-sent events, in a real browser: events come through whatever pieces they arrive in, and
/// no bytes stop it. `-Depitome.page.streams=N` tries so many, each with a seed of its own.
class PageEventsTest {
    private static final int STREAMS = 1_000;
    private static final int AT_ONCE = 500;
    /// What went wrong first, or nothing. Every stream is read twice: as it is, and with some of its bytes changed.
    private static final String TRIAL = """
            (async () => {
              const {eventsOf} = await import('/sse.js');
              let state = 1;
              const below = n => (state = (Math.imul(state, 1103515245) + 12345) >>> 0, Math.floor(state / 4294967296 * n));
              const signs = ['a', '"', '\\\\', ' ', ':', ',', '{', '\\u0000', '\\r', '\\u2028', 'é', '日', '\\ud83d\\ude00', 'data: ',
                'event: ', '[DONE]', '\\ufeff'];
              const text = most => Array.from({length: below(most)}, () => signs[below(signs.length)]).join('');
              const read = async bytes => {
                const stream = new ReadableStream({start(controller) {
                  for (let at = 0; at < bytes.length;) {
                    const end = Math.min(bytes.length, at + 1 + below(below(2) ? 3 : 200));
                    controller.enqueue(bytes.slice(at, end));
                    at = end;
                  }
                  controller.close();
                }});
                const events = [];
                for await (const event of eventsOf(new Response(stream))) events.push(event);
                return events;
              };
              for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
                state = seed;
                const events = Array.from({length: below(8)}, () => ({event: ['message', 'x.y', 'comment'][below(3)], data: text(30)}));
                const body = events.map(({event, data}) => event === 'comment' ? ': ' + data + '\\n\\n'
                  : (event === 'message' ? '' : 'event: ' + event + '\\n') + 'data: ' + data + '\\n\\n').join('');
                const bytes = new TextEncoder().encode(body);
                const wanted = JSON.stringify(events.map(({event, data}) => ({event, data: event === 'comment' ? '' : data})));
                const told = JSON.stringify(await read(bytes));
                if (told !== wanted) return seed + ': ' + wanted + ' became ' + told;
                for (let change = 1 + below(4); change > 0 && bytes.length > 0; change--) bytes[below(bytes.length)] = below(256);
                for (const {event, data} of await read(bytes)) {
                  if (typeof event !== 'string' || typeof data !== 'string') return seed + ': no event ' + event + data;
                }
              }
              return '';
            })()""";

    @Test
    void eventsComeThroughInAnyPieces() throws IOException {
        assumeTrue(Browser.installed(), "needs Debian's packages chromium and chromium-driver");
        try (TestServer server = TestServer.start();
                Browser browser = Browser.open()) {
            browser.visit(server.uri(), 800, 600, "light");
            int streams = Integer.getInteger("epitome.page.streams", STREAMS);
            for (int first = 1; first <= streams; first += AT_ONCE) {
                String trial = TRIAL.replace("FIRST", String.valueOf(first)).replace("COUNT", String.valueOf(AT_ONCE));
                assertThat(browser.promised(trial)).isEqualTo("");
            }
        }
    }
}
