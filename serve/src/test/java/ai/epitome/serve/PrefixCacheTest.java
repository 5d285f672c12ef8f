package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Scope;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What has been read for one key saves time to that key alone: nobody can find out by asking what others have sent.
class PrefixCacheTest {
    private static final String TEXT = "It was a dark and stormy night; the rain fell in torrents, except at times.";
    /// Whole blocks of 16 tokens, which are bytes here, before the last token.
    private static final int BLOCKS = TEXT.length() / 16 * 16;

    private static Accounts accounts;
    private static TestServer server;

    @BeforeAll
    static void start() {
        accounts = new Accounts(Database.inMemory());
        server = TestServer.start(ServerConfig.local(0), accounts);
        UntrainedModel.on(server);
    }

    @AfterAll
    static void stop() {
        server.close();
        accounts.close();
    }

    private static TestServer holder(String name) {
        return server.withKey(accounts.keys()
                .create(name, EnumSet.of(Scope.INFERENCE), KeyLimits.NONE, Instant.now(), Optional.empty())
                .secret());
    }

    /// Tokens that were known already.
    private static int cached(TestServer holder, String path, String fields) throws Exception {
        String body = "{\"model\": \"untrained\", \"max_tokens\": 2, " + fields + "}";
        HttpResponse<String> response = holder.post(path, body, "application/json");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        JsonNode usage = JsonMapper.shared().readTree(response.body()).path("usage");
        return usage.path("prompt_tokens_details").path("cached_tokens").intValue();
    }

    private static String prompt(String user) {
        return "\"prompt\": \"" + TEXT + "\", \"user\": \"" + user + "\"";
    }

    @Test
    void keysShareNothing() throws Exception {
        TestServer one = holder("one");
        TestServer other = holder("other");
        assertThat(cached(one, "v1/completions", prompt("a"))).isZero();
        assertThat(cached(other, "v1/completions", prompt("a"))).isZero();
        assertThat(cached(server, "v1/completions", prompt("a"))).isZero();
        assertThat(cached(other, "v1/completions", prompt("a"))).isEqualTo(BLOCKS);
    }

    @Test
    void usersOfOneKeyShareBeginnings() throws Exception {
        TestServer holder = holder("shared");
        String conversation = "\"messages\": [{\"role\": \"user\", \"content\": \"" + TEXT + "\"}], \"user\": \"%s\"";
        assertThat(cached(holder, "v1/chat/completions", conversation.formatted("a")))
                .isZero();
        assertThat(cached(holder, "v1/chat/completions", conversation.formatted("b")))
                .isGreaterThanOrEqualTo(BLOCKS);
    }

    @Test
    void withoutKeysAllShare() throws Exception {
        String prompt = "\"prompt\": \"" + TEXT.repeat(2) + "\"";
        cached(server, "v1/completions", prompt);
        assertThat(cached(server, "v1/completions", prompt)).isGreaterThan(BLOCKS);
    }
}
