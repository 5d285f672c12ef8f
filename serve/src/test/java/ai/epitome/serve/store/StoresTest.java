package ai.epitome.serve.store;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Database;
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
}
