package ai.epitome.cli.account;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Table;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageTotals;
import java.io.PrintStream;
import java.time.Clock;
import java.time.YearMonth;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `epitome usage`: what was used.
@Command(
        name = "usage",
        description = "What keys and models used in a month, or its latest requests.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome usage --month 2026-11", "         epitome usage --requests 20 --json"})
public final class UsageCommand implements Callable<Integer> {
    @Option(
            names = "--month",
            paramLabel = "YYYY-MM",
            converter = MonthConverter.class,
            description = "Which month, in UTC (default: this one).")
    private YearMonth month = YearMonth.now(Clock.systemUTC());

    @Option(names = "--requests", paramLabel = "N", description = "Its N latest requests, instead of sums.")
    private Integer requests;

    @Option(names = "--json", description = "Print one JSON object a line.")
    private boolean json;

    @Mixin
    private AccountOptions options;

    @Override
    public Integer call() {
        PrintStream out = StandardText.output();
        try (Accounts accounts = options.open()) {
            if (requests != null) {
                rows(accounts.usage().rows(month, requests), out);
            } else {
                totals(accounts.usage().totals(month), out);
            }
        }
        out.flush();
        return 0;
    }

    private void totals(List<UsageTotals> totals, PrintStream out) {
        Table table =
                new Table("key", "model", "requests>", "failed>", "prompt>", "cached>", "completion>", "training>");
        for (UsageTotals total : totals) {
            if (json) {
                out.println(Json.write(facts(total)));
            } else {
                table.add(
                        total.keyName().orElse("-"),
                        total.model().orElse("-"),
                        "%,d".formatted(total.requests()),
                        "%,d".formatted(total.failed()),
                        "%,d".formatted(total.promptTokens()),
                        "%,d".formatted(total.cachedTokens()),
                        "%,d".formatted(total.completionTokens()),
                        "%,d".formatted(total.trainingTokens()));
            }
        }
        if (!json) {
            table.print(out);
        }
    }

    static Map<String, Object> facts(UsageTotals total) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("key_id", total.keyId().orElse(null));
        facts.put("key", total.keyName().orElse(null));
        facts.put("model", total.model().orElse(null));
        facts.put("requests", total.requests());
        facts.put("failed", total.failed());
        facts.put("prompt_tokens", total.promptTokens());
        facts.put("cached_tokens", total.cachedTokens());
        facts.put("completion_tokens", total.completionTokens());
        facts.put("training_tokens", total.trainingTokens());
        return facts;
    }

    private void rows(List<UsageRow> rows, PrintStream out) {
        Table table = new Table(
                "time",
                "request",
                "key",
                "model",
                "route",
                "status",
                "prompt>",
                "cached>",
                "completion>",
                "training>",
                "ms>",
                "moderation");
        for (UsageRow row : rows) {
            if (json) {
                out.println(Json.write(facts(row)));
            } else {
                table.add(
                        row.at(),
                        row.requestId(),
                        row.keyId().orElse("-"),
                        row.model().orElse("-"),
                        row.route(),
                        row.status(),
                        row.promptTokens(),
                        row.cachedTokens(),
                        row.completionTokens(),
                        row.trainingTokens(),
                        row.durationMicros() / 1_000,
                        row.moderation().isEmpty() ? "-" : String.join(" ", row.moderation()));
            }
        }
        if (!json) {
            table.print(out);
        }
    }

    private static Map<String, Object> facts(UsageRow row) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("time", row.at().toString());
        facts.put("request_id", row.requestId());
        facts.put("key_id", row.keyId().orElse(null));
        facts.put("model", row.model().orElse(null));
        facts.put("route", row.route());
        facts.put("status", row.status());
        facts.put("prompt_tokens", row.promptTokens());
        facts.put("cached_tokens", row.cachedTokens());
        facts.put("completion_tokens", row.completionTokens());
        facts.put("training_tokens", row.trainingTokens());
        facts.put("duration_micros", row.durationMicros());
        facts.put("moderation", row.moderation());
        return facts;
    }
}
