package ai.epitome.serve.conversation;

import ai.epitome.model.generation.Sampling;
import ai.epitome.serve.completion.ChatCompletions;
import ai.epitome.serve.completion.ChatRequest;
import ai.epitome.serve.completion.ChatShapes;
import ai.epitome.serve.completion.ChatTurn;
import ai.epitome.serve.completion.CompletionRequest;
import ai.epitome.serve.completion.CompletionShapes;
import ai.epitome.serve.completion.Completions;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.CancelledException;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ClientWatch;
import ai.epitome.serve.http.EventStream;
import ai.epitome.serve.metering.Metering;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.Conversation;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Answers in stored conversations, as server-sent events: `stored` with the messages that are safe now (what was said,
/// and the answer, still empty), `delta` with each further piece of the answer, and `done` with the answer as it is
/// stored; or `error`, and then `done` with what there is.
///
/// A client that stops, or goes away, ends the generation; what was written until then is kept.
public final class ConversationAnswers {
    private static final System.Logger LOG = System.getLogger(ConversationAnswers.class.getName());
    private static final int MOST_TITLE = 60;
    private static final double SMALLEST_TOP_P = 1e-9;

    private final ConversationStore store;
    private final Answering answering;
    private final Clock clock;

    public ConversationAnswers(ConversationStore store, Answering answering, Clock clock) {
        this.store = store;
        this.answering = answering;
        this.clock = clock;
    }

    /// Where to answer.
    ///
    /// @param owner whose conversation it is
    record Place(String owner, String id, RequestMeter meter) {}

    /// Adds what a person says, and answers it.
    void say(Place place, ConversationFields.Said said, ServerResponse response) {
        Message question = Message.said(said.parent(), said.content(), said.attachments());
        List<Message> path =
                new ArrayList<>(store.messages(place.owner(), place.id()).path(said.parent()));
        path.add(question);
        begin(place, store.find(place.owner(), place.id()), path, List.of(question), "", response);
    }

    /// Answers a message, once more where it has been answered.
    void answer(Place place, ConversationFields.Answered wanted, ServerResponse response) {
        StoredConversation conversation = store.find(place.owner(), place.id());
        List<Message> path = store.messages(place.owner(), place.id()).path(wanted.parent());
        boolean text = conversation.settings().mode() == Settings.Mode.TEXT; // which goes on behind any message
        if (!text && (path.isEmpty() || path.getLast().role() != Message.Role.USER)) {
            throw ApiException.badParameter("parent", "'parent' must be a message of the user.");
        }
        begin(place, conversation, path, List.of(), wanted.model(), response);
    }

    private void begin(
            Place place,
            StoredConversation conversation,
            List<Message> path,
            List<Message> said,
            String model,
            ServerResponse response) {
        Settings settings = conversation.settings();
        ModelRegistry.Entry entry = entry(settings, model.isEmpty() ? settings.model() : model, place.meter());
        response.header(HeaderValues.CONNECTION_CLOSE); // since the watch reads on
        ClientWatch client = ClientWatch.start();
        BooleanSupplier cancelled = () -> client.gone() || answering.stopped().getAsBoolean();
        // Before anything is stored: what cannot be answered stays with its writer.
        Remembered remembered = Remembered.of(settings, path, entry);
        Answer answer = answer(settings, remembered, entry, place.meter(), cancelled);

        int parent = said.isEmpty() && !path.isEmpty() ? path.getLast().number() : 0;
        List<Message> further = new ArrayList<>(said);
        further.add(Message.begun(parent, entry.model().id()));
        if (!said.isEmpty()
                && said.getFirst().parent() == 0
                && conversation.title().isEmpty()) {
            store.update(place.owner(), place.id(), old -> old.withTitle(title(said.getFirst())));
        }
        List<Message> stored = store.append(place.owner(), place.id(), further, clock.millis());
        try (EventStream events = EventStream.open(response)) {
            stream(place, stored, remembered.forgotten(), answer, cancelled, events);
        }
    }

    private void tellStored(Place place, List<Message> stored, int forgotten, EventStream events) {
        ObjectNode safe = JsonNodeFactory.instance.objectNode();
        safe.set("conversation", ConversationJson.conversation(store.find(place.owner(), place.id())));
        safe.set("messages", ConversationJson.messages(stored));
        events.event("stored", safe.put("forgotten", forgotten).toString());
    }

    /// @param id empty for the first that is fit
    private ModelRegistry.Entry entry(Settings settings, String id, RequestMeter meter) {
        List<ModelRegistry.Entry> all = answering.models().all();
        boolean text = settings.mode() == Settings.Mode.TEXT;
        Optional<ModelRegistry.Entry> fit =
                all.stream().filter(entry -> text || entry.talks()).findFirst();
        String first = fit.or(() -> all.stream().findFirst())
                .map(entry -> entry.model().id())
                .orElse("");
        return answering.entry(id.isEmpty() ? first : id, meter);
    }

    /// The first words of a conversation, which it is called by until somebody calls it otherwise.
    static String title(Message said) {
        String words = said.content().isBlank() ? said.attachments().getFirst().name() : said.content();
        String line = words.strip().lines().findFirst().orElse("").strip();
        if (line.codePointCount(0, line.length()) <= MOST_TITLE) {
            return line;
        }
        String head = line.substring(0, line.offsetByCodePoints(0, MOST_TITLE));
        int space = head.lastIndexOf(' ');
        return (space > MOST_TITLE / 2 ? head.substring(0, space) : head) + "…";
    }

    private Answer answer(
            Settings settings,
            Remembered remembered,
            ModelRegistry.Entry entry,
            RequestMeter meter,
            BooleanSupplier cancelled) {
        Sampling sampling = new Sampling(settings.temperature(), 0, Math.max(settings.topP(), SMALLEST_TOP_P), 0, 0);
        String model = entry.model().id();
        long seconds = clock.millis() / 1000;
        return switch (remembered) {
            case Remembered.Text(String text) ->
                new Completions(
                        textRequest(model, text, settings.maxTokens(), sampling),
                        entry.model(),
                        new CompletionShapes("", seconds, model),
                        meter,
                        cancelled);
            case Remembered.Turns(Conversation turns, ChatFormat format, int _) ->
                chat(chatRequest(model, turns, settings, sampling), entry, format, meter, cancelled);
        };
    }

    private Answer chat(
            ChatRequest wanted,
            ModelRegistry.Entry entry,
            ChatFormat format,
            RequestMeter meter,
            BooleanSupplier cancelled) {
        ChatShapes shapes = new ChatShapes("", clock.millis() / 1000, wanted.model());
        return new ChatCompletions(wanted, shapes, new ChatTurn(wanted, entry.model(), format, meter, cancelled));
    }

    private static CompletionRequest textRequest(String model, String text, int maxTokens, Sampling sampling) {
        return new CompletionRequest(
                model,
                List.of(new CompletionRequest.Prompt.Text(text)),
                maxTokens,
                sampling,
                1,
                1,
                true,
                true,
                OptionalInt.empty(),
                false,
                List.of(),
                OptionalLong.empty(),
                Optional.empty());
    }

    private static ChatRequest chatRequest(
            String model, Conversation conversation, Settings settings, Sampling sampling) {
        return new ChatRequest(
                model,
                conversation,
                OptionalInt.of(settings.maxTokens()),
                sampling,
                1,
                true,
                true,
                OptionalInt.empty(),
                List.of(),
                OptionalLong.empty(),
                true,
                Optional.empty());
    }

    private void stream(
            Place place,
            List<Message> stored,
            int forgotten,
            Answer answer,
            BooleanSupplier cancelled,
            EventStream events) {
        RequestMeter meter = place.meter();
        AnswerRecord record = new AnswerRecord(stored.getLast(), meter, message -> store.write(place.id(), message));
        Message.State end = Message.State.FAILED;
        int status = 500;
        try {
            tellStored(place, stored, forgotten, events);
            try (var _ = answering.queue().enter(cancelled)) {
                meter.work();
                answer.stream(chunk -> record.take(chunk, events));
            }
            end = record.end();
            status = 200;
        } catch (CancelledException | CloseConnectionException e) {
            end = Message.State.STOPPED;
            status = answering.stopped().getAsBoolean() ? 503 : Metering.CLIENT_WENT_AWAY;
        } catch (ApiException e) {
            status = e.status();
            events.event("error", e.body().toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            end = Message.State.STOPPED;
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "An answer failed", e);
            events.event("error", ApiException.internal().body().toString());
        } finally {
            record.close(end);
            meter.settle(status);
        }
        events.event("done", ConversationJson.message(record.message()).toString());
    }
}
