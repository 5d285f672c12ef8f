package ai.epitome.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The requests of a load: a list of good ones, each with a seed of its own, and bad ones without end.
final class LoadPlan {
    private static final List<String> WORDS = List.of(
            "the", "river", "of", "time", "and", "stone", "was", "known", "to", "a", "city", "in", "north", "history",
            "begins", "with", "number", "theory", "which", "is", "born", "on", "an", "island", "during", "war");
    /// Half of the prompts begin with it, so that cached blocks are shared.
    private static final int SHARED_WORDS = 40;
    private static final int MOST_WORDS = 60;
    private static final int MOST_TOKENS = 64;

    private final String model;
    private final boolean chat;

    LoadPlan(String model, boolean chat) {
        this.model = model;
        this.chat = chat;
    }

    record Request(String path, String body) {}

    /// The same list in every run.
    List<Request> requests(int count) {
        var random = new SplittableRandom(1);
        String shared = words(random, SHARED_WORDS);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String prompt = (i % 2 == 0 ? shared + " " : "") + words(random, random.nextInt(1, MOST_WORDS));
            ObjectNode fields = JsonNodeFactory.instance
                    .objectNode()
                    .put("max_tokens", random.nextInt(4, MOST_TOKENS))
                    .put("seed", i)
                    .put("temperature", i % 5 == 0 ? 0.0 : 1.0)
                    .put("top_p", i % 3 == 0 ? 0.9 : 1.0);
            if (i % 7 == 3) {
                fields.put("n", 2);
            }
            requests.add(request(prompt, fields, i % 3 == 2 && chat, i % 4 != 1));
        }
        return requests;
    }

    /// A long stream, to be left.
    Request longStream(int seed) {
        ObjectNode fields = JsonNodeFactory.instance
                .objectNode()
                .put("max_tokens", 512)
                .put("seed", seed)
                .put("n", 2);
        return request(WORDS.get(seed % WORDS.size()), fields, false, true);
    }

    private Request request(String prompt, ObjectNode fields, boolean conversation, boolean stream) {
        fields.put("model", model);
        if (stream) {
            fields.put("stream", true).putObject("stream_options").put("include_usage", true);
        }
        if (!conversation) {
            return new Request("v1/completions", fields.put("prompt", prompt).toString());
        }
        fields.putArray("messages").addObject().put("role", "user").put("content", prompt);
        return new Request("v1/chat/completions", fields.toString());
    }

    private static String words(SplittableRandom random, int count) {
        return IntStream.range(0, count)
                .mapToObj(_ -> WORDS.get(random.nextInt(WORDS.size())))
                .collect(Collectors.joining(" "));
    }

    /// What no client should send: broken HTTP, broken JSON, fields out of range, routes that are not there.
    byte[] garbage(Random random) {
        byte[] noise = new byte[random.nextInt(1, 400)];
        random.nextBytes(noise);
        String body = switch (random.nextInt(8)) {
            case 0 -> "{\"model\": \"" + model + "\", \"prompt\": ";
            case 1 -> "{\"model\": \"" + model + "\", \"max_tokens\": -1}";
            case 2 -> "{\"model\": \"no such model\", \"prompt\": \"x\"}";
            case 3 -> "{\"model\": \"" + model + "\", \"prompt\": \"x\", \"n\": 2000000000}";
            case 4 -> "[".repeat(20_000);
            case 5 -> new String(noise, StandardCharsets.ISO_8859_1);
            case 6 -> "{\"model\": \"" + model + "\", \"unknown\": 1}";
            default -> "";
        };
        byte[] bytes = body.getBytes(StandardCharsets.ISO_8859_1);
        String path = random.nextInt(6) == 0 ? "/v1/nothing" : "/v1/completions";
        String method = random.nextInt(6) == 0 ? "PATCH" : "POST";
        String type = random.nextInt(6) == 0 ? "text/plain" : "application/json";
        String head = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type
                + "\r\nContent-Length: " + (bytes.length + (random.nextInt(6) == 0 ? 7 : 0)) + "\r\n\r\n";
        byte[] whole = (head + body).getBytes(StandardCharsets.ISO_8859_1);
        return switch (random.nextInt(4)) {
            case 0 -> noise;
            case 1 -> {
                whole[random.nextInt(head.length())] = (byte) random.nextInt(256);
                yield whole;
            }
            default -> whole;
        };
    }
}
