package ai.epitome.cli.account;

import ai.epitome.cli.option.TimeConverter;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Table;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Money;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.moderation.ModerationPolicy;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/// `epitome key`: keys to the service.
@Command(
        name = "key",
        description = "Make, list, change and revoke the API keys of the service.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example: epitome key create laptop --expires 90d --tokens-per-minute 100000 --budget 25",
            "         epitome key list",
            "         epitome key revoke laptop"
        })
public final class KeyCommand {
    @Command(
            name = "create",
            description = "Make a key. It is printed once and stored nowhere: keep it.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome key create laptop --scope inference --expires 90d --budget 25"})
    int create(
            @Parameters(paramLabel = "NAME", description = "What you call it.") String name,
            @Option(
                            names = "--scope",
                            split = ",",
                            paramLabel = "SCOPE",
                            defaultValue = "inference",
                            converter = ScopeConverter.class,
                            description =
                                    "inference, files, metrics or admin (everything); several with commas (default: ${DEFAULT-VALUE}).")
                    List<Scope> scopes,
            @Option(
                            names = "--expires",
                            paramLabel = "TIME",
                            converter = DaysConverter.class,
                            description = "After how long it ends, for example 90d or 12h (default: never).")
                    Duration lifetime,
            @Option(
                            names = "--requests-per-minute",
                            paramLabel = "N",
                            description = "Most requests a minute (default: no limit).")
                    Long requests,
            @Option(
                            names = "--tokens-per-minute",
                            paramLabel = "N",
                            description = "Most tokens a minute, of prompts and completions (default: no limit).")
                    Long tokens,
            @Option(
                            names = "--budget",
                            paramLabel = "AMOUNT",
                            converter = MoneyConverter.class,
                            description =
                                    "Most money a calendar month, at the prices of `epitome price` (default: no limit).")
                    Long budget,
            @Option(
                            names = "--moderation",
                            paramLabel = "POLICY",
                            converter = PolicyConverter.class,
                            description =
                                    "What is done about texts that moderation flags: off, log, flag or refuse, or a JSON file"
                                            + " (default: as the service does, see `epitome serve --moderation`).")
                    ModerationPolicy moderation,
            @Option(names = "--json", description = "Print one JSON object.") boolean json,
            @Mixin AccountOptions options) {
        Instant now = Instant.now();
        Set<Scope> chosen = EnumSet.copyOf(scopes);
        KeyLimits limits = new KeyLimits(optional(requests), optional(tokens), optional(budget));
        try (Accounts accounts = options.open()) {
            KeyStore.Created made = accounts.keys()
                    .create(
                            name,
                            chosen,
                            limits,
                            Optional.ofNullable(moderation),
                            now,
                            Optional.ofNullable(lifetime).map(now::plus));
            PrintStream out = StandardText.output();
            if (json) {
                Map<String, Object> facts = facts(made.key(), now);
                facts.put("key", made.secret());
                out.println(Json.write(facts));
            } else {
                out.println(made.secret());
                System.err.println("That is the key " + made.key().id() + " (" + name
                        + "). It is shown this once; keep it where secrets are kept.");
            }
            out.flush();
        }
        return 0;
    }

    @Command(
            name = "list",
            description = "All keys, with their first and last characters.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome key list --json"})
    int list(
            @Option(names = "--json", description = "Print one JSON object a line.") boolean json,
            @Mixin AccountOptions options) {
        Instant now = Instant.now();
        PrintStream out = StandardText.output();
        try (Accounts accounts = options.open()) {
            List<ApiKey> keys = accounts.keys().list();
            if (json) {
                keys.forEach(key -> out.println(Json.write(facts(key, now))));
            } else {
                table(keys, now).print(out);
            }
        }
        out.flush();
        return 0;
    }

    @Command(
            name = "update",
            description =
                    "Change a key's limits and what is done about its texts, from its next request on. What is not given stays.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Example: epitome key update laptop --budget 40 --tokens-per-minute none",
                "         epitome key update laptop --moderation policy.json"
            })
    int update(
            @Parameters(paramLabel = "KEY", description = "Its id, or its name.") String which,
            @Option(
                            names = "--requests-per-minute",
                            paramLabel = "N",
                            converter = CountLimitConverter.class,
                            description = "Most requests a minute, or none for no limit.")
                    OptionalLong requests,
            @Option(
                            names = "--tokens-per-minute",
                            paramLabel = "N",
                            converter = CountLimitConverter.class,
                            description = "Most tokens a minute, or none for no limit.")
                    OptionalLong tokens,
            @Option(
                            names = "--budget",
                            paramLabel = "AMOUNT",
                            converter = MoneyLimitConverter.class,
                            description = "Most money a calendar month, or none for no limit.")
                    OptionalLong budget,
            @Option(
                            names = "--moderation",
                            paramLabel = "POLICY",
                            converter = PolicyConverter.class,
                            description = "off, log, flag or refuse, or a JSON file.")
                    ModerationPolicy moderation,
            @Option(names = "--json", description = "Print one JSON object.") boolean json,
            @Mixin AccountOptions options) {
        if (requests == null && tokens == null && budget == null && moderation == null) {
            throw new IllegalArgumentException(
                    "nothing to change: give --requests-per-minute, --tokens-per-minute, --budget "
                            + "or --moderation");
        }
        Instant now = Instant.now();
        PrintStream out = StandardText.output();
        try (Accounts accounts = options.open()) {
            ApiKey key = accounts.keys()
                    .limit(
                            which,
                            limits -> new KeyLimits(
                                    requests == null ? limits.requestsPerMinute() : requests,
                                    tokens == null ? limits.tokensPerMinute() : tokens,
                                    budget == null ? limits.budgetMicros() : budget));
            if (moderation != null) {
                key = accounts.keys().moderate(key.id(), Optional.of(moderation));
            }
            out.println(json ? Json.write(facts(key, now)) : "changed " + key.id() + " (" + key.name() + ")");
        }
        out.flush();
        return 0;
    }

    @Command(
            name = "revoke",
            description = "End a key for good, from the next request on.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome key revoke key_2f9c4e1ab03d"})
    int revoke(
            @Parameters(paramLabel = "KEY", description = "Its id, or its name.") String which,
            @Option(names = "--json", description = "Print one JSON object.") boolean json,
            @Mixin AccountOptions options) {
        Instant now = Instant.now();
        PrintStream out = StandardText.output();
        try (Accounts accounts = options.open()) {
            ApiKey key = accounts.keys().revoke(which, now);
            out.println(json ? Json.write(facts(key, now)) : "revoked " + key.id() + " (" + key.name() + ")");
        }
        out.flush();
        return 0;
    }

    private static Table table(List<ApiKey> keys, Instant now) {
        Table table = new Table(
                "id",
                "name",
                "key",
                "scopes",
                "state",
                "expires",
                "moderation",
                "requests/min>",
                "tokens/min>",
                "budget>");
        for (ApiKey key : keys) {
            table.add(
                    key.id(),
                    key.name(),
                    key.hint(),
                    scopes(key),
                    state(key, now),
                    key.expires().map(time -> time.toString().substring(0, 10)).orElse("never"),
                    key.moderation().map(KeyCommand::policy).orElse("service"),
                    limit(key.limits().requestsPerMinute()),
                    limit(key.limits().tokensPerMinute()),
                    key.limits().budgetMicros().isPresent()
                            ? Money.format(key.limits().budgetMicros().getAsLong())
                            : "-");
        }
        return table;
    }

    private static Map<String, Object> facts(ApiKey key, Instant now) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("id", key.id());
        facts.put("name", key.name());
        facts.put("hint", key.hint());
        facts.put("scopes", key.scopes().stream().sorted().map(Scope::word).toList());
        facts.put("state", state(key, now));
        facts.put("created", key.created().toString());
        facts.put("expires", key.expires().map(Instant::toString).orElse(null));
        facts.put("revoked", key.revoked().map(Instant::toString).orElse(null));
        facts.put("requests_per_minute", nullable(key.limits().requestsPerMinute()));
        facts.put("tokens_per_minute", nullable(key.limits().tokensPerMinute()));
        facts.put("moderation", key.moderation().map(ModerationPolicy::text).orElse(null));
        facts.put("budget_micros", nullable(key.limits().budgetMicros()));
        return facts;
    }

    private static String policy(ModerationPolicy policy) {
        return policy.text().startsWith("{") ? "own" : policy.text();
    }

    private static String scopes(ApiKey key) {
        return key.scopes().stream().sorted().map(Scope::word).collect(Collectors.joining(","));
    }

    private static String state(ApiKey key, Instant now) {
        return key.state(now).name().toLowerCase(Locale.ROOT);
    }

    private static String limit(OptionalLong limit) {
        return limit.isPresent() ? "%,d".formatted(limit.getAsLong()) : "-";
    }

    private static Long nullable(OptionalLong value) {
        return value.isPresent() ? (Long) value.getAsLong() : null;
    }

    private static OptionalLong optional(Long value) {
        return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /// A scope by its name, in any case.
    static final class ScopeConverter implements ITypeConverter<Scope> {
        @Override
        public Scope convert(String word) {
            return Scope.of(word);
        }
    }

    /// Days, or what [TimeConverter] takes.
    static final class DaysConverter implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            return text.matches("[1-9]\\d{0,4}d")
                    ? Duration.ofDays(Long.parseLong(text.substring(0, text.length() - 1)))
                    : new TimeConverter().convert(text);
        }
    }

    /// A number, or none.
    static final class CountLimitConverter implements ITypeConverter<OptionalLong> {
        @Override
        public OptionalLong convert(String text) {
            if (text.equals("none")) {
                return OptionalLong.empty();
            }
            try {
                return OptionalLong.of(Long.parseLong(text));
            } catch (NumberFormatException e) {
                throw new TypeConversionException("'" + text + "' is neither a whole number nor none");
            }
        }
    }

    /// An amount of money in millionths, or none.
    static final class MoneyLimitConverter implements ITypeConverter<OptionalLong> {
        @Override
        public OptionalLong convert(String text) {
            return text.equals("none") ? OptionalLong.empty() : OptionalLong.of(Money.parse(text));
        }
    }

    /// An amount of money in millionths.
    static final class MoneyConverter implements ITypeConverter<Long> {
        @Override
        public Long convert(String amount) {
            return Money.parse(amount);
        }
    }
}
