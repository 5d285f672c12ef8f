package ai.epitome.serve.conversation;

import ai.epitome.serve.http.EventStream;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.metering.Usage;
import java.time.Duration;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Takes an answer down while it is written: each piece goes to the client, and about once a second all of it to the
/// database, so that of an answer whose service is killed most is left.
final class AnswerRecord {
    private static final long SAVE_NANOS = Duration.ofSeconds(1).toNanos();

    private final RequestMeter meter;
    private final Consumer<Message> save;
    private final StringBuilder text = new StringBuilder();
    private Message message;
    private String finish = "";
    private long first;
    private long last;
    private long saved = System.nanoTime();

    /// @param message the answer, of which nothing is known yet
    /// @param meter of the request, which knows what the answer takes
    AnswerRecord(Message message, RequestMeter meter, Consumer<Message> save) {
        this.message = message;
        this.meter = meter;
        this.save = save;
    }

    /// @param chunk of a chat completion, or of a completion
    void take(ObjectNode chunk, EventStream events) {
        for (JsonNode choice : chunk.path("choices").values()) {
            JsonNode said = choice.path("delta").path("content");
            String piece =
                    said.isString() ? said.stringValue() : choice.path("text").asString("");
            finish = choice.path("finish_reason").asString(finish);
            if (!piece.isEmpty()) {
                take(piece, events);
            }
        }
    }

    private void take(String piece, EventStream events) {
        last = System.nanoTime();
        first = text.isEmpty() ? last : first;
        text.append(piece);
        if (last - saved > SAVE_NANOS) {
            saved = last;
            message = message(Message.State.RUNNING);
            save.accept(message);
        }
        events.event(
                "delta",
                JsonNodeFactory.instance.objectNode().put("text", piece).toString());
    }

    /// How an answer ended that nothing cut short.
    Message.State end() {
        return switch (finish) {
            case "length" -> Message.State.LENGTH;
            case "content_filter" -> Message.State.FILTERED;
            default -> Message.State.DONE;
        };
    }

    private Message message(Message.State state) {
        Usage used = meter.usage();
        return message.with(
                text.toString(),
                state,
                new Message.Used(
                        Math.toIntExact(used.promptTokens()),
                        Math.toIntExact(used.completionTokens()),
                        Duration.ofNanos(last - first).toMillis(),
                        meter.costPico()));
    }

    /// Saves the answer for good.
    void close(Message.State state) {
        message = message(state);
        save.accept(message);
    }

    /// As it was saved last.
    Message message() {
        return message;
    }
}
