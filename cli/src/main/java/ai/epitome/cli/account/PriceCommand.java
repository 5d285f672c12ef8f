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
import java.util.Optional;
import java.util.function.ToLongFunction;
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
            "Example: epitome price set shakespeare --input 0.15 --cached 0.075 --output 0.60 --training 3",
            "         epitome price list"
        })
public final class PriceCommand {
    @Command(
            name = "set",
            description = {
                "Set a model's prices. They hold from now on; what was used before keeps its cost.",
                "A price that is not given stays as it is; a model that has none yet wants all of them."
            },
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Example: epitome price set shakespeare --input 0.15 --cached 0.075 --output 0.60 --training 3",
                "         epitome price set shakespeare --training 4"
            })
    int set(
            @Parameters(paramLabel = "MODEL", description = "The model's name, as requests give it.") String model,
            @Option(
                            names = "--input",
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million tokens of prompts.")
                    Long input,
            @Option(
                            names = "--cached",
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million tokens of prompts that were known already"
                                    + " (default for a model that has no price yet: as --input).")
                    Long cached,
            @Option(
                            names = "--output",
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million generated tokens.")
                    Long output,
            @Option(
                            names = "--training",
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description = "A million tokens that fine-tuning jobs are trained on; 0 is free.")
                    Long training,
            @Mixin AccountOptions options) {
        try (Accounts accounts = options.open()) {
            Optional<Price> now = accounts.prices().find(model);
            if (now.isEmpty() && (input == null || output == null || training == null)) {
                throw new IllegalArgumentException("'" + model
                        + "' has no price yet: give --input, --output and --training (0 where that is free)");
            }
            long newInput = amount(input, now, Price::inputMicros);
            Long newCached = cached == null && now.isEmpty() ? (Long) newInput : cached;
            Price price = new Price(
                    newInput,
                    amount(newCached, now, Price::cachedMicros),
                    amount(output, now, Price::outputMicros),
                    amount(training, now, Price::trainingMicros));
            accounts.prices().set(model, price);
            PrintStream out = StandardText.output();
            table(Map.of(model, price)).print(out);
            out.flush();
        }
        return 0;
    }

    private static long amount(Long given, Optional<Price> now, ToLongFunction<Price> part) {
        return given == null ? part.applyAsLong(now.orElseThrow()) : given;
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
        try (Accounts accounts = options.open()) {
            Map<String, Price> prices = accounts.prices().list();
            if (json) {
                prices.forEach((model, price) -> out.println(Json.write(facts(model, price))));
            } else {
                table(prices).print(out);
            }
        }
        out.flush();
        return 0;
    }

    private static Table table(Map<String, Price> prices) {
        Table table = new Table("model", "input>", "cached>", "output>", "training>");
        prices.forEach((model, price) -> table.add(
                model,
                Money.format(price.inputMicros()),
                Money.format(price.cachedMicros()),
                Money.format(price.outputMicros()),
                Money.format(price.trainingMicros())));
        return table;
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
