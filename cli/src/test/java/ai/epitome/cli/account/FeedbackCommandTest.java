package ai.epitome.cli.account;

import static ai.epitome.cli.CommandResult.done;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.conversation.ConversationStore;
import ai.epitome.serve.conversation.Message;
import ai.epitome.serve.conversation.Preferences;
import ai.epitome.serve.conversation.Settings;
import ai.epitome.serve.conversation.StoredConversation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Feedback of two conversations, exported.
class FeedbackCommandTest {
    private static final String PROMPT =
            "{\"prompt\":[{\"role\":\"system\",\"content\":\"S\"}," + "{\"role\":\"user\",\"content\":\"Q\"}],";

    @TempDir
    Path folder;

    private String database;

    private static Message answer(int parent, String content) {
        return new Message(
                0,
                parent,
                Message.Role.ASSISTANT,
                content,
                List.of(),
                Message.State.DONE,
                "m",
                Message.Used.NOTHING,
                0,
                "",
                0);
    }

    @BeforeEach
    void judge() {
        database = folder.resolve("accounts.db").toString();
        try (Accounts accounts = new Accounts(Database.open(database))) {
            ConversationStore store = new ConversationStore(accounts.database());
            Settings settings = new Settings(Settings.Mode.CHAT, "", "S", 1, 1, 9);
            StoredConversation chat = store.create("key_1", "", "", settings, List.of(), 0, 1);
            store.append("key_1", chat.id(), List.of(Message.said(0, "Q", List.of()), answer(0, "first")), 2);
            for (String content : List.of("second", "third", "second")) {
                store.append("key_1", chat.id(), List.of(answer(1, content)), 3);
            }
            store.prefer("key_1", chat.id(), new Preferences.Choice(3, 2, "clearer"), 4);
            store.prefer("key_1", chat.id(), new Preferences.Choice(2, 4, ""), 5);
            store.prefer("key_1", chat.id(), new Preferences.Choice(4, 2, "after all"), 6); // takes its place
            store.prefer("key_1", chat.id(), new Preferences.Choice(3, 5, ""), 7); // the same words
            store.append("key_1", chat.id(), List.of(answer(1, "fourth")), 7);
            store.prefer("key_1", chat.id(), new Preferences.Choice(2, 6, "both", true), 7);
            store.rate("key_1", chat.id(), 6, -1, ""); // rated apart from the first, but found equal
            store.rate("key_1", chat.id(), 2, 1, "good");
            store.rate("key_1", chat.id(), 3, -1, ""); // was compared
            store.rate("key_1", chat.id(), 5, -1, "bad");

            Settings manuscript = new Settings(Settings.Mode.TEXT, "", "", 1, 1, 9);
            StoredConversation text = store.create("", "", "", manuscript, List.of(), 0, 8);
            store.append("", text.id(), List.of(Message.said(0, "Once ", List.of()), answer(0, "upon")), 9);
            store.append("", text.id(), List.of(answer(1, "more")), 9);
            store.prefer("", text.id(), new Preferences.Choice(2, 3, ""), 10);
        }
    }

    private static String turn(String field, String content) {
        return "\"" + field + "\":[{\"role\":\"assistant\",\"content\":\"" + content + "\"}]";
    }

    @Test
    void pairsAreWhatWasComparedAndWhatWasRatedApart() throws IOException {
        Path file = folder.resolve("pairs.jsonl");
        done("feedback", "export", "--database", database, "-o", file.toString());
        assertThat(Files.readAllLines(file))
                .containsExactly(
                        PROMPT + turn("chosen", "second") + "," + turn("rejected", "first") + ",\"note\":\"clearer\"}",
                        PROMPT + turn("chosen", "third") + "," + turn("rejected", "first") + ",\"note\":\"after all\"}",
                        PROMPT + turn("chosen", "first") + "," + turn("rejected", "second")
                                + ",\"note\":\"good\\nbad\"}",
                        "{\"prompt\":\"Once \",\"chosen\":\"upon\",\"rejected\":\"more\"}");
    }

    @Test
    void labelsAreWhatWasRated() throws IOException {
        assertThat(done("feedback", "export", "--database", database, "--form", "labels")
                        .out()
                        .lines())
                .containsExactly(
                        PROMPT + turn("completion", "first") + ",\"label\":true,\"note\":\"good\"}",
                        PROMPT + turn("completion", "second") + ",\"label\":false}",
                        PROMPT + turn("completion", "second") + ",\"label\":false,\"note\":\"bad\"}",
                        PROMPT + turn("completion", "fourth") + ",\"label\":false}");
    }

    @Test
    void tiesAreNoPairs() throws IOException {
        assertThat(done("feedback", "export", "--database", database, "--form", "ties")
                        .out()
                        .lines())
                .containsExactly(PROMPT
                        + "\"answers\":[[{\"role\":\"assistant\",\"content\":\"first\"}],"
                        + "[{\"role\":\"assistant\",\"content\":\"fourth\"}]],\"note\":\"both\"}");
    }
}
