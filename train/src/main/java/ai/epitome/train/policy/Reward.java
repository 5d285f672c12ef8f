package ai.epitome.train.policy;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.TrainingException;
import ai.epitome.train.data.TokenTable;
import ai.epitome.train.reward.RewardModel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What answers are worth.
public sealed interface Reward extends AutoCloseable {
    /// The reward of each reply, in order.
    ///
    /// @throws TrainingException if one cannot be had, or is no finite number
    double[] of(List<Reply> replies);

    /// For a person.
    String describe();

    @Override
    default void close() {}

    /// 1 for a right answer to a task, 0 for any other.
    record OfTasks() implements Reward {
        @Override
        public double[] of(List<Reply> replies) {
            return replies.stream().mapToDouble(OfTasks::one).toArray();
        }

        private static double one(Reply reply) {
            boolean right = reply.prompt()
                    .task()
                    .orElseThrow(() -> new TrainingException("there is no task whose answer could be checked"))
                    .check()
                    .passes(reply.text());
            return right && reply.ended() ? 1 : 0;
        }

        @Override
        public String describe() {
            return "1 for a right answer to a task";
        }
    }

    /// A learned judge of the whole text, prompt and answer. Conversations reach it with the marks of their
    /// turns, as it has learned them.
    ///
    /// @param same whether it has the tokenizer of those who answer
    record OfModel(String name, RewardModel model, boolean same) implements Reward {
        /// @param answering the tokenizer of those who answer
        public static OfModel of(String name, RewardModel model, Tokenizer answering) {
            String own = TokenTable.of(model.tokenizer()).sha256();
            return new OfModel(name, model, own.equals(TokenTable.of(answering).sha256()));
        }

        @Override
        public double[] of(List<Reply> replies) {
            return finite(model.score(replies.stream().map(this::read).toList()), name);
        }

        private int[] read(Reply reply) {
            if (reply.prompt().goesOn() || !same) {
                return model.tokens(reply.prompt().text() + reply.text());
            }
            int[] all = reply.sequence();
            return Arrays.copyOf(all, Math.min(all.length, model.context()));
        }

        @Override
        public String describe() {
            return "the reward model " + name;
        }

        @Override
        public void close() {
            model.close();
        }
    }

    /// A service: `{"prompts": [...], "answers": [...]}` is posted to it, and it gives `{"rewards": [...]}`.
    record OfEndpoint(URI address, HttpClient client) implements Reward {
        private static final JsonMapper JSON = new JsonMapper();
        private static final Duration PATIENCE = Duration.ofMinutes(2);

        public OfEndpoint(URI address) {
            this(address, HttpClient.newHttpClient());
        }

        @Override
        public double[] of(List<Reply> replies) {
            ObjectNode body = JSON.createObjectNode();
            replies.forEach(reply -> {
                body.withArray("prompts").add(reply.prompt().text());
                body.withArray("answers").add(reply.text());
            });
            HttpRequest request = HttpRequest.newBuilder(address)
                    .timeout(PATIENCE)
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
                    .build();
            try {
                HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() != 200) {
                    throw new TrainingException("%s answered with status %d: %s"
                            .formatted(address, response.statusCode(), start(response.body())));
                }
                return finite(rewards(response.body(), replies.size()), address.toString());
            } catch (IOException e) {
                throw new TrainingException("no rewards from %s: %s".formatted(address, e), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new TrainingException("interrupted while waiting for rewards from " + address, e);
            }
        }

        private double[] rewards(String body, int expected) {
            List<Double> found = new ArrayList<>();
            try {
                for (JsonNode reward : JSON.readTree(body).path("rewards")) {
                    found.add(reward.asDouble(Double.NaN));
                }
            } catch (JacksonException e) {
                throw new TrainingException("%s answered with no JSON: %s".formatted(address, start(body)), e);
            }
            if (found.size() != expected) {
                throw new TrainingException("%s: expected {\"rewards\": [...]} with %d numbers, found %d in %s"
                        .formatted(address, expected, found.size(), start(body)));
            }
            return found.stream().mapToDouble(Double::doubleValue).toArray();
        }

        private static String start(String text) {
            return text.length() > 200 ? text.substring(0, 200) + "..." : text;
        }

        @Override
        public String describe() {
            return "rewards of " + address;
        }

        @Override
        public void close() {
            client.close();
        }
    }

    /// Any function.
    record OfFunction(String name, ToDoubleFunction<Reply> function) implements Reward {
        @Override
        public double[] of(List<Reply> replies) {
            return finite(replies.stream().mapToDouble(function).toArray(), name);
        }

        @Override
        public String describe() {
            return name;
        }
    }

    private static double[] finite(double[] rewards, String where) {
        for (int i = 0; i < rewards.length; i++) {
            if (!Double.isFinite(rewards[i])) {
                throw new TrainingException("%s gave the reward %s for answer %d, which nothing can be learned from"
                        .formatted(where, rewards[i], i + 1));
            }
        }
        return rewards;
    }
}
