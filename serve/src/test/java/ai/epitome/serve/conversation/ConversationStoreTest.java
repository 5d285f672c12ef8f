package ai.epitome.serve.conversation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.TestDatabases;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConversationStoreTest {
    private static final ConversationStore.Query ALL = new ConversationStore.Query("", Optional.empty(), 100, 0);

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    private static StoredConversation create(ConversationStore store, String owner, String title, long now) {
        return store.create(owner, title, "", Settings.DEFAULT, List.of(), 0, now);
    }

    private static Message said(int parent, String content) {
        return Message.said(parent, content, List.of());
    }

    private static Message answer(String content) {
        return Message.begun(0, "m").with(content, Message.State.DONE, new Message.Used(3, 4, 5, 6));
    }

    private static List<String> titles(List<StoredConversation> conversations) {
        return conversations.stream().map(StoredConversation::title).toList();
    }

    @ParameterizedTest
    @MethodSource("databases")
    void messagesAreATree(String url) {
        try (Database database = Database.open(url)) {
            ConversationStore store = new ConversationStore(database);
            String id = create(store, "", "", 1).id();
            Message.Attachment file = new Message.Attachment("a.txt", "α\u0000β\uD83D");
            store.append("", id, List.of(Message.said(0, "one", List.of(file)), answer("first")), 2);
            store.append("", id, List.of(answer("second").stored(0, 1, 0)), 3);
            store.append("", id, List.of(said(0, "One"), answer("third")), 4);

            MessageTree tree = store.messages("", id);
            assertThat(tree.messages()).extracting(Message::parent).containsExactly(0, 1, 1, 0, 4);
            assertThat(tree.path(5)).extracting(Message::content).containsExactly("One", "third");
            assertThat(tree.children(1)).extracting(Message::content).containsExactly("first", "second");
            Message first = tree.messages().getFirst();
            assertThat(first.attachments()).containsExactly(new Message.Attachment("a.txt", "α\uFFFDβ\uFFFD"));
            assertThat(tree.find(2).orElseThrow().used()).isEqualTo(new Message.Used(3, 4, 5, 6));
            StoredConversation shown = store.find("", id);
            assertThat(shown.leaf()).isEqualTo(5);
            assertThat(shown.updated()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void nobodyReachesWhatIsAnothers(String url) {
        try (Database database = Database.open(url)) {
            ConversationStore store = new ConversationStore(database);
            String id = create(store, "ann", "hers", 1).id();
            store.append("ann", id, List.of(said(0, "secret"), answer("yes")), 2);
            assertThat(store.list("bob", ALL)).isEmpty();
            List<Runnable> attempts = List.of(
                    () -> store.find("bob", id),
                    () -> store.messages("bob", id),
                    () -> store.update("bob", id, old -> old.withTitle("his")),
                    () -> store.append("bob", id, List.of(said(0, "x")), 3),
                    () -> store.extend("bob", id, List.of(said(0, "x")), 3),
                    () -> store.rate("bob", id, 2, 1, ""),
                    () -> store.delete("bob", id));
            for (Runnable attempt : attempts) {
                assertThatThrownBy(attempt::run)
                        .isInstanceOf(ConversationStore.RefusedException.class)
                        .hasMessage("There is no conversation of this id.");
            }
            assertThat(store.messages("ann", id).messages()).hasSize(2);
            assertThat(store.find("ann", id).title()).isEqualTo("hers");
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void isFoundByTitleTextAndFolder(String url) {
        try (Database database = Database.open(url)) {
            ConversationStore store = new ConversationStore(database);
            create(store, "", "Bread", 1);
            String soup = create(store, "", "Soup", 2).id();
            store.append("", soup, List.of(said(0, "Is 100% of it water_melon?")), 3);
            store.update("", soup, old -> old.withFolder("Kitchen"));
            create(store, "", "Cars", 4);
            assertThat(titles(store.list("", ALL))).containsExactly("Cars", "Soup", "Bread");
            assertThat(titles(search(store, "BREAD"))).containsExactly("Bread");
            assertThat(titles(search(store, "100% of"))).containsExactly("Soup");
            assertThat(titles(search(store, "r_m"))).containsExactly("Soup"); // no wildcard
            assertThat(search(store, "1%o")).isEmpty();
            assertThat(store.folders("")).containsExactly("Kitchen");
            var inKitchen = new ConversationStore.Query("", Optional.of("Kitchen"), 100, 0);
            assertThat(titles(store.list("", inKitchen))).containsExactly("Soup");
            assertThat(titles(store.list("", new ConversationStore.Query("", Optional.empty(), 1, 1))))
                    .containsExactly("Soup");
            store.delete("", soup);
            assertThat(titles(store.list("", ALL))).containsExactly("Cars", "Bread");
            assertThat(search(store, "water")).isEmpty();
        }
    }

    private static List<StoredConversation> search(ConversationStore store, String words) {
        return store.list("", new ConversationStore.Query(words, Optional.empty(), 100, 0));
    }

    @ParameterizedTest
    @MethodSource("databases")
    void whoWriteAtTheSameTimeGetNumbersOfTheirOwn(String url) throws Exception {
        try (Database database = Database.open(url);
                var writers = Executors.newVirtualThreadPerTaskExecutor()) {
            ConversationStore store = new ConversationStore(database);
            String id = create(store, "", "", 1).id();
            List<Future<List<Message>>> writing = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                String words = "w" + i;
                writing.add(writers.submit(() -> store.append("", id, List.of(said(0, words), answer(words)), 2)));
            }
            for (Future<List<Message>> written : writing) {
                List<Message> pair = written.get();
                assertThat(pair.get(1).parent()).isEqualTo(pair.get(0).number());
                assertThat(pair.get(1).content()).isEqualTo(pair.get(0).content());
            }
            assertThat(store.messages("", id).messages())
                    .extracting(Message::number)
                    .containsExactlyElementsOf(
                            IntStream.rangeClosed(1, 40).boxed().toList());
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void whatCannotBeIsRefusedWhole(String url) {
        try (Database database = Database.open(url)) {
            ConversationStore store = new ConversationStore(database);
            String id = create(store, "", "", 1).id();
            store.append("", id, List.of(said(0, "one")), 2);
            assertThatThrownBy(() -> store.append("", id, List.of(said(7, "x")), 3))
                    .hasMessageContaining("message 7");
            assertThatThrownBy(() -> store.extend("", id, List.of(said(0, "x").stored(5, 0, 0)), 3))
                    .hasMessageContaining("must have number 2");
            assertThatThrownBy(() -> store.update("", id, old -> old.withLeaf(9)))
                    .hasMessageContaining("message 9");
            String large = "x".repeat(200_000);
            List<Message> most =
                    IntStream.range(0, 81).mapToObj(_ -> said(0, large)).toList();
            assertThatThrownBy(() -> store.append("", id, most, 3)).hasMessageContaining("begin another one");
            store.append("", id, List.of(said(1, "two")), 4); // the numbers of what was refused are free
            assertThat(store.messages("", id).messages())
                    .extracting(Message::number)
                    .containsExactly(1, 2);
        }
    }
}
