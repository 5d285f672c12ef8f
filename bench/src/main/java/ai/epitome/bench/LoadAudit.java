package ai.epitome.bench;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.account.UsageTotals;
import java.time.Instant;
import java.time.YearMonth;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/// Compares usage rows with what clients have been told, and with the metrics.
///
/// @param began when the load began: the database may have rows of before
record LoadAudit(Accounts accounts, LoadTally tally, Instant began) {
    private static final int MOST_ROWS = 10_000_000;

    /// @param metrics as they were scraped when all was done
    void print(String metrics, String model) {
        YearMonth month = UsageStore.month(Instant.now());
        List<UsageRow> rows = accounts.usage().rows(month, MOST_ROWS).stream()
                .filter(row -> !row.at().isBefore(began))
                .toList();
        Map<Integer, Long> statuses = new TreeMap<>();
        rows.forEach(row -> statuses.merge(row.status(), 1L, Long::sum));
        System.out.println("usage rows by status (499: its client left): " + statuses);
        List<UsageRow> told = rows.stream()
                .filter(row -> row.status() == 200 && !tally.wasLeft(row.requestId()))
                .toList();
        equal("rows of whole answers", told.size(), tally.answered());
        equal("their prompt tokens", sum(told, UsageRow::promptTokens), tally.prompt());
        equal("their cached tokens", sum(told, UsageRow::cachedTokens), tally.cached());
        equal("their completion tokens", sum(told, UsageRow::completionTokens), tally.completion());
        equal(
                "row by row",
                sum(
                        told,
                        row -> LoadTally.fingerprint(
                                row.requestId(), row.promptTokens(), row.cachedTokens(), row.completionTokens())),
                tally.fingerprint());
        equal(
                "rows of clients that left",
                rows.stream().filter(row -> tally.wasLeft(row.requestId())).count(),
                tally.leftCount());
        LoadTally.verdict("no row of status 5xx", rows.stream().noneMatch(row -> row.status() >= 500), statuses);
        metric(metrics, model, "prompt", sum(rows, UsageRow::promptTokens));
        metric(metrics, model, "cached", sum(rows, UsageRow::cachedTokens));
        metric(metrics, model, "completion", sum(rows, UsageRow::completionTokens));
        spending(month, rows);
    }

    private static long sum(List<UsageRow> rows, ToLongFunction<UsageRow> what) {
        return rows.stream().mapToLong(what).sum();
    }

    private static void equal(String what, long rows, long clients) {
        LoadTally.verdict(what + ": " + rows, rows == clients, "clients were told " + clients);
    }

    private static void metric(String metrics, String model, String kind, long expected) {
        String name = "epitome_tokens_total{kind=\"" + kind + "\",model_name=\"" + model + "\"} ";
        long found = metrics.lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length())))
                .findFirst()
                .orElse(0);
        LoadTally.verdict("/metrics has " + expected + " " + kind + " tokens", found == expected, found);
    }

    /// What budgets are compared with is the sum of the rows' costs.
    private void spending(YearMonth month, List<UsageRow> rows) {
        long wrong = accounts.usage().totals(month).stream()
                .filter(total -> total.keyId().isPresent())
                .filter(total -> rows.stream().anyMatch(row -> row.keyId().equals(total.keyId())))
                .filter(total -> total.costPico()
                        != accounts.usage().spentPico(total.keyId().get(), month))
                .map(UsageTotals::keyName)
                .count();
        LoadTally.verdict("what each key has spent is the sum of its rows", wrong == 0, wrong + " keys");
    }
}
