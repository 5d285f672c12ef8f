package ai.epitome.model.constraint;

import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Schemas of all keywords, in any combination that makes sense.
public final class RandomSchemas {
    private static final List<String> NAMES = List.of("id", "name", "größe", "a\\\"b", "tags", "naïve", "x", "next");
    private final Random random;
    private final boolean references;

    public RandomSchemas(long seed) {
        random = new Random(seed);
        references = random.nextInt(3) == 0;
    }

    public String schema() {
        String schema = object(3);
        return references
                ? schema.substring(0, schema.length() - 1) + ",\"$defs\":{\"leaf\":" + leaf()
                        + ",\"list\":{\"type\":\"object\",\"properties\":{\"value\":{\"$ref\":\"#/$defs/leaf\"},\"next\":"
                        + "{\"anyOf\":[{\"$ref\":\"#/$defs/list\"},{\"type\":\"null\"}]}},\"required\":[\"value\"],"
                        + "\"additionalProperties\":false}}}"
                : schema;
    }

    private String any(int depth) {
        int kind = random.nextInt(depth == 0 ? 5 : 12);
        return switch (kind) {
            case 5, 6 -> object(depth - 1);
            case 7, 8 -> array(depth - 1);
            case 9 -> "{\"anyOf\":[" + any(depth - 1) + "," + any(depth - 1) + "]}";
            case 10 ->
                "{\"title\":\"both\",\"allOf\":[{\"type\":[\"integer\",\"string\"],\"minLength\":1},{\"maximum\":%d,\"maxLength\":9}]}"
                        .formatted(random.nextInt(100));
            case 11 ->
                references
                        ? "{\"$ref\":\"#/$defs/" + (random.nextBoolean() ? "leaf" : "list") + "\"}"
                        : "{\"oneOf\":[{\"type\":\"integer\",\"multipleOf\":" + (2 + random.nextInt(9))
                                + "},{\"type\":\"null\"}]}";
            default -> leaf();
        };
    }

    private String leaf() {
        int low = random.nextInt(2000) - 1000;
        int high = low + random.nextInt(300);
        return switch (random.nextInt(15)) {
            case 0 -> "{\"type\":\"string\",\"maxLength\":%d}".formatted(random.nextInt(12));
            case 1 -> "{\"type\":\"string\",\"minLength\":%d,\"maxLength\":%d}".formatted(2, 2 + random.nextInt(20));
            case 2 -> "{\"type\":\"string\",\"pattern\":\"^[a-fé]+(-[0-9]{2,4})*$\"}";
            case 3 -> "{\"type\":\"string\",\"pattern\":\"\\\"\\\\d\\\\\\\\\",\"maxLength\":7}";
            case 4 ->
                "{\"type\":\"string\",\"format\":\"%s\"}"
                        .formatted(List.of("date", "time", "date-time", "uuid", "ipv4", "email")
                                .get(random.nextInt(6)));
            case 5 -> "{\"type\":\"integer\",\"minimum\":%d,\"maximum\":%d}".formatted(low, high);
            case 6 -> "{\"type\":\"integer\",\"exclusiveMinimum\":%d}".formatted(low);
            case 7 ->
                "{\"type\":\"number\",\"minimum\":%d.25,\"exclusiveMaximum\":%d.5}"
                        .formatted(Math.abs(low), Math.abs(low) + random.nextInt(3));
            case 8 -> "{\"type\":\"number\",\"maximum\":%s}".formatted(low / 8.0);
            case 9 -> "{\"type\":\"number\",\"multipleOf\":0.01,\"minimum\":-3}";
            case 10 -> "{\"enum\":[\"red\",\"größe \\\"x\\\"\",%d,null,{\"a\":[1,2.5]}]}".formatted(low);
            case 11 -> "{\"const\":\"fixed%d\"}".formatted(low);
            case 12 -> "{\"type\":[\"boolean\",\"null\"]}";
            case 13 -> "{\"type\":\"integer\",\"multipleOf\":%d,\"minimum\":%d}".formatted(1 + random.nextInt(40), low);
            default -> "{\"type\":\"number\"}";
        };
    }

    private String object(int depth) {
        int count = random.nextInt(5);
        List<String> names = NAMES.subList(random.nextInt(3), 3 + count);
        String properties =
                names.stream().map(name -> "\"" + name + "\":" + any(depth)).collect(Collectors.joining(","));
        String required = names.stream()
                .filter(_ -> random.nextBoolean())
                .map(name -> "\"" + name + "\"")
                .collect(Collectors.joining(","));
        String more = switch (random.nextInt(6)) {
            case 0 -> ",\"additionalProperties\":" + any(0);
            case 1 -> ",\"patternProperties\":{\"^n\":" + leaf() + ",\"[0-9]$\":{\"type\":\"integer\"}}";
            case 2 ->
                ",\"maxProperties\":"
                        + Math.max(
                                names.size() - 1,
                                (int) required.chars().filter(c -> c == ',').count() + 1);
            case 3 -> ",\"minProperties\":" + Math.min(names.size(), 2) + ",\"additionalProperties\":false";
            default -> ",\"additionalProperties\":false";
        };
        return "{\"type\":\"object\",\"properties\":{%s},\"required\":[%s]%s}".formatted(properties, required, more);
    }

    private String array(int depth) {
        int min = random.nextInt(3);
        String prefix = random.nextInt(3) == 0
                ? ",\"prefixItems\":["
                        + IntStream.range(0, 1 + random.nextInt(3))
                                .mapToObj(_ -> any(depth))
                                .collect(Collectors.joining(","))
                        + "]"
                : "";
        return "{\"type\":\"array\",\"items\":%s,\"minItems\":%d,\"maxItems\":%d%s}"
                .formatted(any(depth), min, min + random.nextInt(4), prefix);
    }
}
