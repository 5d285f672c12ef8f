package ai.epitome.serve.registry;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.serve.http.ApiException;
import ai.epitome.text.chat.ChatFormat;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The models that are served. Models may come, go and be replaced while the service runs: a request keeps the one that
/// it began with. Safe to use from any thread.
public final class ModelRegistry {
    private final Map<String, Entry> models = new LinkedHashMap<>();

    /// A model that adapters can be added to.
    ///
    /// @param loaded from its files
    /// @param generator that generates with it as it is
    /// @param adapter folder of the adapter that answers for it now, where one does
    public record Origin(LoadedModel loaded, TextGenerator generator, Optional<Path> adapter) {
        public Origin withAdapter(Optional<Path> other) {
            return new Origin(loaded, generator, other);
        }
    }

    /// A model, when it was made, and how it wants conversations written.
    ///
    /// @param origin what fine-tuning can begin with
    public record Entry(CompletionModel model, Instant created, Optional<ChatFormat> chat, Optional<Origin> origin) {
        /// @throws ApiException when the model takes no conversations
        public ChatFormat requireChat() {
            return chat.orElseThrow(() -> ApiException.badParameter(
                    "model",
                    "The model '" + model.id() + "' takes no conversations: POST /v1/completions goes on with a"
                            + " text."));
        }

        /// Whether it has learned conversations, as far as its files tell: they hold a template.
        public boolean talks() {
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
        models.put(model.id(), new Entry(model, created, chat, Optional.empty()));
        return this;
    }

    /// Serves a model that can be fine-tuned.
    ///
    /// @param generator of the same model
    /// @param created when the model's weights were made, as `/v1/models` tells it
    /// @param chat how the model wants conversations written; without, it takes none
    public synchronized ModelRegistry put(
            LoadedModel model, TextGenerator generator, Instant created, Optional<ChatFormat> chat) {
        Origin origin = new Origin(model, generator, Optional.empty());
        models.put(generator.id(), new Entry(generator, created, chat, Optional.of(origin)));
        return this;
    }

    /// Serves another entry of the same model, unless it has been replaced meanwhile.
    synchronized void replace(Entry before, Entry after) {
        models.replace(before.model().id(), before, after);
    }

    /// Serves the model no longer.
    ///
    /// @return whether there was one of this name
    public synchronized boolean remove(String id) {
        return models.remove(id) != null;
    }

    /// The model that is served under this name now.
    public synchronized Optional<Entry> find(String id) {
        return Optional.ofNullable(models.get(id));
    }

    /// In the order in which their names were first given.
    public synchronized List<Entry> all() {
        return List.copyOf(models.values());
    }

    public synchronized boolean isEmpty() {
        return models.isEmpty();
    }
}
