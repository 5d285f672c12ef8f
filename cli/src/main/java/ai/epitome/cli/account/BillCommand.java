package ai.epitome.cli.account;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Table;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Money;
import ai.epitome.serve.account.UsageTotals;
import java.io.PrintStream;
import java.time.Clock;
import java.time.YearMonth;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `epitome bill`: what a month cost each key.
@Command(
        name = "bill",
        description = "What each key's usage of a month costs, at the prices that held when it was used.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example: epitome bill --month 2026-11",
            "         epitome bill --month 2026-11 --csv > november.csv"
        })
public final class BillCommand implements Callable<Integer> {
    private static final String CSV =
            "key_id,key,model,requests,prompt_tokens,cached_tokens,completion_tokens,training_tokens,amount";

    @Option(
            names = "--month",
            paramLabel = "YYYY-MM",
            converter = MonthConverter.class,
            description = "Which month, in UTC (default: this one, so far).")
    private YearMonth month = YearMonth.now(Clock.systemUTC());

    @ArgGroup
    private Form form = new Form();

    @Mixin
    private AccountOptions options;

    /// How it is printed.
    static final class Form {
        @Option(names = "--json", description = "Print one JSON object a line.")
        private boolean json;

        @Option(names = "--csv", description = "Print comma-separated values.")
        private boolean csv;
    }

    @Override
    public Integer call() {
        PrintStream out = StandardText.output();
        try (Accounts accounts = options.open()) {
            List<UsageTotals> totals = accounts.usage().totals(month);
            if (form.json) {
                totals.forEach(total -> out.println(Json.write(facts(total))));
            } else if (form.csv) {
                out.println(CSV);
                totals.forEach(total -> out.println(csv(total)));
            } else {
                table(totals).print(out);
            }
        }
        out.flush();
        return 0;
    }

    private Map<String, Object> facts(UsageTotals total) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("month", month.toString());
        facts.putAll(UsageCommand.facts(total));
        facts.put("amount_micros", total.costMicros());
        return facts;
    }

    private static String csv(UsageTotals total) {
        return String.join(
                ",",
                total.keyId().orElse(""),
                quoted(total.keyName().orElse("")),
                quoted(total.model().orElse("")),
                String.valueOf(total.requests()),
                String.valueOf(total.promptTokens()),
                String.valueOf(total.cachedTokens()),
                String.valueOf(total.completionTokens()),
                String.valueOf(total.trainingTokens()),
                Money.format(total.costMicros()));
    }

    /// Names may hold anything, and spreadsheets take some of it for formulas.
    private static String quoted(String name) {
        String harmless = name.matches("[=+\\-@].*") ? "'" + name : name;
        return '"' + harmless.replace("\"", "\"\"") + '"';
    }

    /// A line for each key and model, and their sum.
    private static Table table(List<UsageTotals> totals) {
        Table table =
                new Table("key", "model", "requests>", "prompt>", "cached>", "completion>", "training>", "amount>");
        long all = 0;
        for (UsageTotals total : totals) {
            table.add(
                    total.keyName().orElse("-"),
                    total.model().orElse("-"),
                    "%,d".formatted(total.requests()),
                    "%,d".formatted(total.promptTokens()),
                    "%,d".formatted(total.cachedTokens()),
                    "%,d".formatted(total.completionTokens()),
                    "%,d".formatted(total.trainingTokens()),
                    Money.format(total.costMicros()));
            all = Math.addExact(all, total.costMicros());
        }
        table.add("total", "", "", "", "", "", "", Money.format(all));
        return table;
    }
}
