package ai.epitome.serve.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DatabaseTest {

    static Stream<Database> databases() {
        return Stream.concat(
                Stream.of(Database.inMemory()), TestDatabases.urls().stream().map(Database::open));
    }

    /// Above all one in memory, which ends with its connection.
    @ParameterizedTest
    @MethodSource("databases")
    void workThatRefusesTakesBackWhatItBeganAndNothingElse(Database database) {
        try (database) {
            KeyStore keys = new KeyStore(database);
            keys.create("kept", EnumSet.of(Scope.FILES), KeyLimits.NONE, Instant.now(), Optional.empty());
            assertThatThrownBy(() -> database.write(connection -> {
                        try (var statement = connection.createStatement()) {
                            assertThat(statement.executeUpdate("UPDATE api_key SET name = 'changed'"))
                                    .isEqualTo(1);
                        }
                        throw new IllegalArgumentException("refused");
                    }))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(keys.list())
                    .singleElement()
                    .satisfies(key -> assertThat(key.name()).isEqualTo("kept"));
        }
    }
}
