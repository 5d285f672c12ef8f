package ai.epitome.serve.moderation;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What is done about texts, by what they are of. As JSON:
///
/// ```
/// {"input":  {"*": {"log": true}, "illicit/violent": {"refuse": 0.5}},
///  "output": {"*": {"flag": true}, "hate": {"flag": 0.3, "refuse": 0.6}}}
/// ```
///
/// A number is the score from which on something is done, `true` stands for the one from which on the
/// moderator flags, and `*` for every category that is not named. Or one word for both sides and every
/// category: `off`, `log`, `flag`, `refuse`.
///
/// @param input about what is asked
/// @param output about what is answered
public record ModerationPolicy(Map<Category, Rule> input, Map<Category, Rule> output) {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String EVERY = "*";

    /// Nothing is looked at.
    public static final ModerationPolicy OFF = new ModerationPolicy(Map.of(), Map.of());
    /// What is flagged is counted, and nothing else is done.
    public static final ModerationPolicy LOG = everywhere(Action.LOG);

    public ModerationPolicy {
        input = Map.copyOf(input);
        output = Map.copyOf(output);
    }

    /// Which text.
    public enum Side {
        INPUT,
        OUTPUT;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// The milder ones first; each does what those before it do.
    public enum Action {
        /// It is counted in the metrics, and noted in the usage row.
        LOG,
        /// The answer tells of it.
        FLAG,
        /// What is asked is not answered; what is answered ends there.
        REFUSE;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// @param from the score from which on each action is taken; empty for the moderator's own
    public record Rule(Map<Action, OptionalDouble> from) {
        public Rule {
            from = Map.copyOf(from);
        }

        private Optional<Action> action(double score, double own) {
            return from.entrySet().stream()
                    .filter(each -> score >= each.getValue().orElse(own))
                    .map(Map.Entry::getKey)
                    .max(Action::compareTo);
        }
    }

    private static ModerationPolicy everywhere(Action action) {
        Map<Category, Rule> rules = new EnumMap<>(Category.class);
        Rule rule = new Rule(Map.of(action, OptionalDouble.empty()));
        for (Category category : Category.values()) {
            rules.put(category, rule);
        }
        return new ModerationPolicy(rules, rules);
    }

    private Map<Category, Rule> rules(Side side) {
        return side == Side.INPUT ? input : output;
    }

    /// Whether texts of this side are looked at.
    public boolean looksAt(Side side) {
        return !rules(side).isEmpty();
    }

    /// Whether a text of this side may be refused.
    public boolean refuses(Side side) {
        return rules(side).values().stream().anyMatch(rule -> rule.from().containsKey(Action.REFUSE));
    }

    /// What to do about a text: the gravest action for each category that there is something to do for.
    ///
    /// @param scores of the text
    /// @param moderator that gave them
    public Map<Category, Action> judge(Side side, Map<Category, Double> scores, Moderator moderator) {
        Map<Category, Action> actions = new EnumMap<>(Category.class);
        scores.forEach((category, score) -> Optional.ofNullable(rules(side).get(category))
                .flatMap(rule -> rule.action(score, moderator.threshold(category)))
                .ifPresent(action -> actions.put(category, action)));
        return actions;
    }

    /// @param text JSON, or one of the words
    /// @throws IllegalArgumentException when it is no policy; its message says where
    public static ModerationPolicy parse(String text) {
        try {
            return of(text.strip().startsWith("{") ? MAPPER.readTree(text) : MAPPER.valueToTree(text.strip()));
        } catch (JacksonException e) {
            throw new IllegalArgumentException("the moderation policy is no JSON: " + e.getOriginalMessage());
        }
    }

    /// @throws IllegalArgumentException when it is no policy; its message says where
    public static ModerationPolicy of(JsonNode json) {
        if (json.isString()) {
            return word(json.stringValue());
        }
        require(json.isObject(), "expected an object, or one of off, log, flag and refuse");
        json.propertyNames()
                .forEach(name -> require(
                        name.equals("input") || name.equals("output"),
                        "'" + name + "' is none of its parts: input, output"));
        return new ModerationPolicy(rules(json, "input"), rules(json, "output"));
    }

    private static ModerationPolicy word(String word) {
        if (word.equals("off")) {
            return OFF;
        }
        for (Action action : Action.values()) {
            if (action.word().equals(word)) {
                return everywhere(action);
            }
        }
        throw wrong("'" + word + "' is none of off, log, flag and refuse");
    }

    private static Map<Category, Rule> rules(JsonNode policy, String side) {
        JsonNode json = policy.path(side);
        Map<Category, Rule> rules = new EnumMap<>(Category.class);
        if (json.isMissingNode()) {
            return rules;
        }
        require(json.isObject(), side + " must be an object of categories");
        if (json.has(EVERY)) {
            Rule every = rule(side, EVERY, json.path(EVERY));
            for (Category category : Category.values()) {
                rules.put(category, every);
            }
        }
        json.properties().forEach(each -> {
            if (!each.getKey().equals(EVERY)) {
                Category category = Category.of(each.getKey())
                        .orElseThrow(() -> wrong(side + ": there is no category '" + each.getKey() + "'"));
                rules.put(category, rule(side, each.getKey(), each.getValue()));
            }
        });
        rules.values().removeIf(rule -> rule.from().isEmpty());
        return rules;
    }

    private static Rule rule(String side, String category, JsonNode json) {
        String place = side + ", " + category + ": ";
        require(json.isObject(), place + "expected an object such as {\"refuse\": 0.5}");
        Map<Action, OptionalDouble> from = new EnumMap<>(Action.class);
        json.properties().forEach(each -> {
            Action action = action(place, each.getKey());
            JsonNode value = each.getValue();
            boolean score = value.isNumber() && value.doubleValue() > 0 && value.doubleValue() <= 1;
            require(score || value.isBoolean(), place + each.getKey() + " must be above 0 and at most 1, or true");
            if (score) {
                from.put(action, OptionalDouble.of(value.doubleValue()));
            } else if (value.booleanValue()) {
                from.put(action, OptionalDouble.empty());
            }
        });
        return new Rule(from);
    }

    private static Action action(String place, String word) {
        for (Action action : Action.values()) {
            if (action.word().equals(word)) {
                return action;
            }
        }
        throw wrong(place + "'" + word + "' is none of log, flag and refuse");
    }

    private static void require(boolean right, String what) {
        if (!right) {
            throw wrong(what);
        }
    }

    private static IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("the moderation policy cannot be read: " + what);
    }

    /// As [#of] reads it: the shortest form there is.
    public JsonNode json() {
        if (equals(OFF)) {
            return MAPPER.valueToTree("off");
        }
        for (Action action : Action.values()) {
            if (equals(everywhere(action))) {
                return MAPPER.valueToTree(action.word());
            }
        }
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.set("input", json(input));
        root.set("output", json(output));
        return root;
    }

    private static ObjectNode json(Map<Category, Rule> rules) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        new TreeMap<>(rules).forEach((category, rule) -> {
            ObjectNode one = json.putObject(category.word());
            new TreeMap<>(rule.from()).forEach((action, from) -> {
                if (from.isPresent()) {
                    one.put(action.word(), from.getAsDouble());
                } else {
                    one.put(action.word(), true);
                }
            });
        });
        return json;
    }

    /// As a database and a command line take it.
    public String text() {
        JsonNode json = json();
        return json.isString() ? json.stringValue() : json.toString();
    }
}
