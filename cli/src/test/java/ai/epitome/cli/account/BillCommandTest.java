package ai.epitome.cli.account;

import static ai.epitome.cli.CommandResult.done;
import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.terminal.Json;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageRow;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Prices, usage and bills, over a database with three requests of November.
class BillCommandTest {
    private static final Instant NOVEMBER = Instant.parse("2026-11-26T10:00:00Z");

    @TempDir
    Path folder;

    private String database;
    private String key;

    @BeforeEach
    void use() throws IOException {
        database = folder.resolve("accounts.db").toString();
        done(
                "price",
                "set",
                "tiny",
                "--input",
                "0.15",
                "--cached",
                "0.075",
                "--output",
                "0.60",
                "--training",
                "0",
                "--database",
                database);
        try (Accounts accounts = new Accounts(Database.open(database))) {
            key = accounts.keys()
                    .create("=1+1", EnumSet.of(Scope.INFERENCE), KeyLimits.NONE, NOVEMBER, Optional.empty())
                    .key()
                    .id();
            record(accounts, "req_1", Optional.of(key), 1_000_000, 500_000, 100_000, 200);
            record(accounts, "req_2", Optional.of(key), 1, 0, 1, 499);
            record(accounts, "req_3", Optional.empty(), 7, 0, 0, 400);
        }
    }

    private static void record(
            Accounts accounts, String id, Optional<String> key, long prompt, long cached, long completion, int status) {
        Price price = accounts.prices().find("tiny").orElseThrow();
        accounts.record(new UsageRow(
                id,
                NOVEMBER,
                key,
                Optional.of("tiny"),
                "/v1/completions",
                prompt,
                cached,
                completion,
                0,
                status,
                2_500,
                price.costPico(prompt, cached, completion),
                List.of("input:hate=flag", "output:violence=log")));
    }

    @Test
    void aBillHasALineForEachKeyAndTheirSum() throws IOException {
        String bill = done("bill", "--month", "2026-11", "--database", database).out();
        // 0.075 + 0.0375 + 0.06, and 0.00000075 rounded once
        assertThat(bill)
                .containsPattern("=1\\+1 +tiny +2 +1,000,001 +500,000 +100,001 +0 +0\\.172501\\n")
                .containsPattern("- +tiny +1 +7 +0 +0 +0 +0\\.000001\\n")
                .containsPattern("total +0\\.172502\\n");
        assertThat(done("bill", "--month", "2026-10", "--database", database).out())
                .containsPattern("total +0\\.00\\n");
    }

    @Test
    void billsAreJsonAndCsvToo() throws IOException {
        String csv = done("bill", "--month", "2026-11", "--csv", "--database", database)
                .out();
        assertThat(csv.lines()).hasSize(3).contains(key + ",\"'=1+1\",\"tiny\",2,1000001,500000,100001,0,0.172501");
        String json = done("bill", "--month", "2026-11", "--json", "--database", database)
                .out();
        JsonNode line = Json.MAPPER.readTree(
                json.lines().filter(each -> each.contains(key)).findFirst().orElseThrow());
        assertThat(line.get("amount_micros").asLong()).isEqualTo(172_501);
        assertThat(line.get("month").asString()).isEqualTo("2026-11");
    }

    @Test
    void usageIsSumsOrRequests() throws IOException {
        assertThat(done("usage", "--month", "2026-11", "--database", database).out())
                .containsPattern("=1\\+1 +tiny +2 +1 +1,000,001 +500,000 +100,001 +0\\n");
        String requests = done("usage", "--month", "2026-11", "--requests", "2", "--json", "--database", database)
                .out();
        assertThat(requests.lines()).hasSize(2);
        assertThat(Json.MAPPER
                        .readTree(requests.lines().findFirst().orElseThrow())
                        .get("duration_micros")
                        .asInt())
                .isEqualTo(2_500);
        assertThat(requests).contains("\"moderation\":[\"input:hate=flag\",\"output:violence=log\"]");
        assertThat(done("usage", "--month", "2026-11", "--requests", "2", "--database", database)
                        .out())
                .contains("input:hate=flag output:violence=log");
        assertThat(done("price", "list", "--database", database).out())
                .containsPattern("tiny +0\\.15 +0\\.075 +0\\.60 +0\\.00\\n");
        assertThat(run("usage", "--month", "November", "--database", database).err())
                .contains("write 2026-11");
    }

    @Test
    void aPriceThatIsNotGivenStaysAsItIs() throws IOException {
        assertThat(done("price", "set", "tiny", "--training", "3", "--database", database)
                        .out())
                .containsPattern("tiny +0\\.15 +0\\.075 +0\\.60 +3\\.00\\n");
        done("price", "set", "tiny", "--input", "0.20", "--database", database);
        done("price", "set", "tiny", "--cached", "0", "--output", "0.70", "--database", database);
        assertThat(done("price", "list", "--database", database).out())
                .containsPattern("tiny +0\\.20 +0\\.00 +0\\.70 +3\\.00\\n");
        done("price", "set", "ft:tiny:mine:0123456789ab", "--output", "0.90", "--database", database);
        assertThat(done("price", "list", "--database", database).out())
                .as("what was fine-tuned begins with its base's")
                .containsPattern("ft:tiny:mine:0123456789ab +0\\.20 +0\\.00 +0\\.90 +3\\.00\\n");
    }

    @Test
    void aModelWithoutAPriceWantsAllOfThem() throws IOException {
        for (String missing : List.of("--input", "--output", "--training")) {
            List<String> command = new ArrayList<>(List.of("price", "set", "new", "--database", database));
            Stream.of("--input", "--output", "--training")
                    .filter(option -> !option.equals(missing))
                    .forEach(option -> command.addAll(List.of(option, "1")));
            assertThat(run(command.toArray(String[]::new)).err())
                    .contains("'new' has no price yet: give --input, --output and --training");
        }
        assertThat(done("price", "list", "--database", database).out()).doesNotContain("new");
        done("price", "set", "new", "--input", "1", "--output", "2", "--training", "0", "--database", database);
        assertThat(done("price", "list", "--database", database).out())
                .containsPattern("new +1\\.00 +1\\.00 +2\\.00 +0\\.00\\n");
    }
}
