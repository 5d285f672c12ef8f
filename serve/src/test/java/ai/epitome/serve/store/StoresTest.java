package ai.epitome.serve.store;

import static ai.epitome.serve.store.TuningStore.Outcome.NONE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.DatabaseException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What is kept, on each kind of database: it is there again, and only for its owner.
class StoresTest {
    private static StoredResponse response(String id, String owner, String status, String previous) {
        return new StoredResponse(id, owner, 7, status, Optional.ofNullable(previous), "[]", "{}", 9);
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void responses(String url) {
        try (Database database = Database.open(url)) {
            var store = new ResponseStore(database);
            StoredResponse first = response("a", "me", "completed", null);
            StoredResponse second = response("b", "me", "queued", "a");
            StoredResponse other = response("c", "you", "completed", "b");
            List.of(first, second, other).forEach(store::add);
            assertThat(store.find("me", "a")).contains(first);
            assertThat(store.find("you", "a")).isEmpty();
            assertThat(store.chain("me", "b", 10)).containsExactly(first, second);
            assertThat(store.chain("me", "b", 1)).containsExactly(second);
            assertThat(store.chain("you", "c", 10)).containsExactly(other); // what it goes on from is another's
            assertThat(store.renew("b", 12)).isTrue();
            assertThat(store.find("me", "b").orElseThrow().leaseUntil()).isEqualTo(12);
            assertThat(store.advance("b", "completed", "{\"x\":1}")).isTrue();
            assertThat(store.advance("b", "failed", "{}")).isFalse();
            assertThat(store.renew("b", 13)).isFalse();
            assertThat(store.find("me", "b").orElseThrow().body()).isEqualTo("{\"x\":1}");
            assertThat(store.delete("you", "b")).isFalse();
            assertThat(store.delete("me", "b")).isTrue();
            assertThat(store.delete("me", "b")).isFalse();
        }
        try (Database again = Database.open(url)) {
            assertThat(new ResponseStore(again).find("me", "a")).isPresent();
        }
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void conversations(String url) {
        try (Database database = Database.open(url)) {
            var store = new ItemStore(database);
            var made = new ItemStore.Conversation("c", 5, "{}");
            store.create("me", made, List.of(new ItemStore.Item("1", "{\"n\":1}")));
            assertThat(store.find("me", "c")).contains(made);
            assertThat(store.find("", "c")).isEmpty();
            assertThat(store.append("me", "c", List.of(new ItemStore.Item("2", "{}"), new ItemStore.Item("3", "{}"))))
                    .isTrue();
            assertThat(store.append("you", "c", List.of(new ItemStore.Item("4", "{}"))))
                    .isFalse();
            assertThat(ids(store.items("me", "c", false, Optional.empty(), 9))).containsExactly("1", "2", "3");
            assertThat(ids(store.items("me", "c", true, Optional.empty(), 2))).containsExactly("3", "2");
            assertThat(ids(store.items("me", "c", true, Optional.of("3"), 9))).containsExactly("2", "1");
            assertThat(ids(store.items("me", "c", false, Optional.of("1"), 1))).containsExactly("2");
            assertThat(store.items("you", "c", false, Optional.empty(), 9)).isEmpty();
            assertThat(store.item("me", "c", "1")).contains(new ItemStore.Item("1", "{\"n\":1}"));
            assertThat(store.item("you", "c", "1")).isEmpty();
            assertThat(store.deleteItem("you", "c", "1")).isFalse();
            assertThat(store.deleteItem("me", "c", "1")).isTrue();
            assertThat(store.setMetadata("you", "c", "{\"a\":\"b\"}")).isFalse();
            assertThat(store.setMetadata("me", "c", "{\"a\":\"b\"}")).isTrue();
            assertThat(store.find("me", "c").orElseThrow().metadata()).isEqualTo("{\"a\":\"b\"}");
            assertThat(store.delete("you", "c")).isFalse();
            assertThat(store.delete("me", "c")).isTrue();
            assertThat(store.items("me", "c", false, Optional.empty(), 9)).isEmpty();
        }
    }

    private static List<String> ids(List<ItemStore.Item> items) {
        return items.stream().map(ItemStore.Item::id).toList();
    }

    private static LeasedWork job(String id, String owner, long created) {
        return new LeasedWork(id, owner, created, "queued", "{}", 0);
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void fineTuningJobs(String url) {
        try (Database database = Database.open(url)) {
            var store = new TuningStore(database);
            assertThat(store.add(job("a", "me", 1), 2, 3)).isTrue();
            assertThat(store.add(job("b", "me", 2), 2, 3)).isTrue();
            assertThat(store.add(job("c", "me", 3), 2, 3))
                    .as("a third of one owner")
                    .isFalse();
            assertThat(store.add(job("d", "you", 3), 2, 3)).isTrue();
            assertThat(store.add(job("e", "they", 3), 2, 3))
                    .as("a fourth of all")
                    .isFalse();
            assertThat(store.find("me", "a")).contains(job("a", "me", 1));
            assertThat(store.find("you", "a")).isEmpty();
            assertThat(store.list("me", Optional.empty(), 5)).containsExactly(job("b", "me", 2), job("a", "me", 1));
            assertThat(store.list("me", Optional.of("b"), 5)).containsExactly(job("a", "me", 1));
            assertThat(store.waiting(10)).extracting(LeasedWork::id).containsExactly("a", "b", "d");
            assertThat(store.claim(job("a", "me", 1), 20)).isTrue();
            assertThat(store.claim(job("a", "me", 1), 21)).as("claimed twice").isFalse();
            assertThat(store.waiting(10)).extracting(LeasedWork::id).containsExactly("b", "d");
            assertThat(store.waiting(21)).extracting(LeasedWork::id).containsExactly("a", "b", "d");
            assertThat(store.advance("a", "queued", "running", "{\"x\": 1}", NONE))
                    .isTrue();
            assertThat(store.advance("a", "queued", "cancelled", "{}", NONE)).isFalse();
            assertThat(store.change(job("a", "me", 1), "cancelled", "{}"))
                    .as("it was queued then")
                    .isFalse();
            LeasedWork seen = store.find("me", "a").orElseThrow();
            assertThat(store.advance("a", "running", "running", "{\"x\": 2}", NONE))
                    .isTrue();
            assertThat(store.change(seen, "cancelled", "{\"x\": 1}"))
                    .as("what was written meanwhile would be lost")
                    .isFalse();
            assertThat(store.change(store.find("me", "a").orElseThrow(), "running", "{\"x\": 1}"))
                    .isTrue();
            assertThat(store.renew("a", 30).orElseThrow().status()).isEqualTo("running");
            assertThat(store.advance("b", "queued", "cancelled", "{}", NONE)).isTrue();
            assertThat(store.waiting(40)).extracting(LeasedWork::id).containsExactly("a", "d");
            for (int i = 0; i < 3; i++) {
                store.addEvent("a", number -> "event " + number);
            }
            assertThat(store.events("a", 3, 5))
                    .containsExactly(new TuningStore.Event(2, "event 2"), new TuningStore.Event(1, "event 1"));
            assertThat(store.events("d", 3, 5)).isEmpty();
        }
    }

    /// A file that a batch has come to is there with the state that names it, or not at all.
    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void whatABatchHasComeToIsKeptWithItsLastState(String url) {
        try (Database database = Database.open(url)) {
            var store = new BatchStore(database);
            var files = new FileStore(database);
            store.add(new LeasedWork("b", "me", 1, "finalizing", "{}", 0));
            FileStore.Content output =
                    new FileStore.Content(new StoredFile("file-1", "me", 2, "o.jsonl", "batch_output", 2), new byte[2]);
            assertThat(store.advance("b", "in_progress", "completed", "{}", output))
                    .as("it was cancelled meanwhile")
                    .isFalse();
            assertThat(files.find("me", "file-1")).isEmpty();
            assertThatThrownBy(() -> store.advance("b", "finalizing", "completed", "{}", output, output))
                    .isInstanceOf(DatabaseException.class);
            assertThat(files.find("me", "file-1")).isEmpty();
            assertThat(store.find("me", "b").orElseThrow().status()).isEqualTo("finalizing");
            assertThat(store.advance("b", "finalizing", "completed", "{}", output))
                    .isTrue();
            assertThat(files.content("me", "file-1")).contains(output.bytes());
        }
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void tunedModelsAndPromotions(String url) {
        try (Database database = Database.open(url)) {
            var store = new TuningStore(database);
            var whole = new TuningStore.Model("ft:x::1", "me", 5, "x", "job/model", "job", 9, false, "{}");
            var part = new TuningStore.Model("ft:x::1:ckpt-step-3", "me", 4, "x", "job/3", "job", 3, true, "{}");
            store.addModel(part);
            store.addModel(whole);
            store.addModel(new TuningStore.Model("ft:x::1", "you", 6, "y", "other", "other", 1, false, "{}"));
            assertThat(store.models("me")).containsExactly(whole);
            assertThat(store.models("you")).isEmpty();
            assertThat(store.model("me", part.id())).contains(part);
            assertThat(store.model("you", whole.id())).isEmpty();
            assertThat(store.checkpoints("job")).containsExactly(part);
            store.deleteModel(whole.id());
            assertThat(store.models("me")).isEmpty();

            var promotions = new PromotionStore(database);
            Instant now = Instant.ofEpochMilli(7);
            Path first = Path.of("/first");
            assertThat(promotions.current("x")).isEmpty();
            assertThat(promotions.promote("x", Optional.empty(), first, "why", now))
                    .isTrue();
            assertThat(promotions.promote("x", Optional.empty(), Path.of("/late"), "why", now))
                    .as("over one that it was not compared with")
                    .isFalse();
            assertThat(promotions.promote("x", Optional.of(first), Path.of("/second"), "why", now))
                    .isTrue();
            assertThat(promotions.current("y")).isEmpty();
            assertThat(promotions.standing("x"))
                    .extracting(PromotionStore.Promotion::adapter)
                    .containsExactly(Path.of("/second"), first);
            assertThat(promotions.takeBack("x", now).orElseThrow().adapter()).isEqualTo(Path.of("/second"));
            assertThat(promotions.current("x").orElseThrow().adapter()).isEqualTo(first);
            assertThat(promotions.takeBack("x", now)).isPresent();
            assertThat(promotions.takeBack("x", now)).isEmpty();
            assertThat(promotions.current("x")).isEmpty();
        }
    }
}
