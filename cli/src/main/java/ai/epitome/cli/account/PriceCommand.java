package ai.epitome.cli.account;

import ai.epitome.cli.account.KeyCommand.MoneyConverter;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Table;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Money;
import ai.epitome.serve.account.Price;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome price`: what tokens cost.
@Command(
        name = "price",
        description = {
            "Set and list what models' tokens cost. A model without a price is free.",
            "Amounts are per million tokens, in one currency, whichever it is."
        },
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example: epitome price set shakespeare --input 0.15 --cached 0.075 --output 0.60",
            "         epitome price list"
        })
public final class PriceCommand {
    @Command(
            name = "set",
            description = "Set a model's prices. They hold from now on; what was used before keeps its cost.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Example: epitome price set shakespeare --input 0.15 --cached 0.075 --output 0.60 --training 3"
            })
    int set(
            @Parameters(paramLabel = "MODEL", description = "The model's name, as requests give it.") String model,
            @Option(
                            names = "--input",
                            required = true,
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million tokens of prompts.")
                    Long input,
            @Option(
                            names = "--cached",
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million tokens of prompts that were known already (default: as --input).")
                    Long cached,
            @Option(
                            names = "--output",
                            required = true,
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million generated tokens.")
                    Long output,
            @Option(
                            names = "--training",
                            defaultValue = "0",
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million tokens that fine-tuning jobs are trained on (default: free).")
                    Long training,
            @Mixin AccountOptions options) {
        Price price = new Price(input, cached == null ? input : cached, output, training);
        try (Accounts accounts = options.open()) {
            accounts.prices().set(model, price);
        }
        return 0;
    }

    @Command(
            name = "list",
            description = "The price table.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome price list --json"})
    int list(
            @Option(names = "--json", description = "Print one JSON object a line.") boolean json,
            @Mixin AccountOptions options) {
        PrintStream out = StandardText.output();
        Table table = new Table("model", "input>", "cached>", "output>", "training>");
        try (Accounts accounts = options.open()) {
            accounts.prices().list().forEach((model, price) -> {
                if (json) {
                    out.println(Json.write(facts(model, price)));
                } else {
                    table.add(
                            model,
                            Money.format(price.inputMicros()),
                            Money.format(price.cachedMicros()),
                            Money.format(price.outputMicros()),
                            Money.format(price.trainingMicros()));
                }
            });
        }
        if (!json) {
            table.print(out);
        }
        out.flush();
        return 0;
    }

    private static Map<String, Object> facts(String model, Price price) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("model", model);
        facts.put("input_micros", price.inputMicros());
        facts.put("cached_micros", price.cachedMicros());
        facts.put("output_micros", price.outputMicros());
        facts.put("training_micros", price.trainingMicros());
        return facts;
    }
}
