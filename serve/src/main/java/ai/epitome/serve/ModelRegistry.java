package ai.epitome.serve;

import ai.epitome.model.CompletionModel;
import ai.epitome.text.chat.ChatFormat;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The models that are served. Models may come, go and be replaced while the service runs: a request keeps the one that
/// it began with. Safe to use from any thread.
public final class ModelRegistry {
    private final Map<String, Entry> models = new LinkedHashMap<>();

    /// A model, when it was made, and how it wants conversations written.
    record Entry(CompletionModel model, Instant created, Optional<ChatFormat> chat) {
        /// @throws ApiException when the model takes no conversations
        ChatFormat requireChat() {
            return chat.orElseThrow(() -> ApiException.badParameter(
                    "model",
                    "The model '" + model.id() + "' takes no conversations: POST /v1/completions goes on with a"
                            + " text."));
        }

        /// Whether it has learned conversations, as far as its files tell: they hold a template.
        boolean talks() {
            return chat.filter(ChatFormat::isOfModel).isPresent();
        }
    }

    /// Serves `model` under its [id][CompletionModel#id()], in place of any other of that name.
    public ModelRegistry put(CompletionModel model) {
        return put(model, Instant.now());
    }

    /// @param created when the model's weights were made, as `/v1/models` tells it
    public ModelRegistry put(CompletionModel model, Instant created) {
        return put(model, created, Optional.empty());
    }

    /// @param created when the model's weights were made, as `/v1/models` tells it
    /// @param chat how the model wants conversations written; without, it takes none
    public synchronized ModelRegistry put(CompletionModel model, Instant created, Optional<ChatFormat> chat) {
        models.put(model.id(), new Entry(model, created, chat));
        return this;
    }

    /// Serves the model no longer.
    ///
    /// @return whether there was one of this name
    public synchronized boolean remove(String id) {
        return models.remove(id) != null;
    }

    synchronized Optional<Entry> find(String id) {
        return Optional.ofNullable(models.get(id));
    }

    /// In the order in which their names were first given.
    synchronized List<Entry> all() {
        return List.copyOf(models.values());
    }

    synchronized boolean isEmpty() {
        return models.isEmpty();
    }
}
