package ai.epitome.serve.tuning;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.engine.EngineLimits;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.registry.Adapted;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.store.TuningStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The models that fine-tuning jobs have made. They are their owner's: nobody else finds them.
///
/// A model is loaded when it is first asked for: an adapter, in the engine of its base, in whose memory it takes some
/// megabytes; or a model of its own. The adapters that were asked for last stay loaded.
public final class TunedModels {
    private static final System.Logger LOG = System.getLogger(TunedModels.class.getName());
    private static final int MOST_LOADED = 32;

    private final ModelRegistry models;
    private final TuningStore store;
    private final TuningSetup setup;
    private final Map<String, Loaded> loaded = new LinkedHashMap<>(16, 0.75f, true);

    public TunedModels(ModelRegistry models, TuningStore store, TuningSetup setup) {
        this.models = models;
        this.store = store;
        this.setup = setup;
    }

    /// @param base that it was loaded for
    private record Loaded(ModelRegistry.Entry base, ModelRegistry.Entry entry) {}

    /// A model that may not be loaded.
    ///
    /// @param base the model that it is made of, as it is served
    public record Known(TuningStore.Model model, ModelRegistry.Entry base, boolean talks) {}

    /// What an owner's jobs have made of models that are served.
    public List<Known> all(String owner) {
        return store.models(owner).stream()
                .flatMap(model ->
                        base(model)
                                .map(base -> new Known(model, base, base.talks() || Adapted.hasTemplate(folder(model))))
                                .stream())
                .toList();
    }

    /// The model of this name, whether it can be loaded or not.
    public Optional<TuningStore.Model> known(String owner, String id) {
        return store.model(owner, id).filter(model -> base(model).isPresent());
    }

    private Path folder(TuningStore.Model model) {
        return setup.folder().resolve(model.folder());
    }

    /// The model of this name, ready to answer.
    ///
    /// @throws ApiException when its base is not served, or its files are damaged
    public Optional<ModelRegistry.Entry> find(String owner, String id) {
        Optional<TuningStore.Model> known = id.startsWith("ft:") ? store.model(owner, id) : Optional.empty();
        return known.map(model -> {
            ModelRegistry.Entry base = base(model)
                    .orElseThrow(() -> ApiException.notReady(
                            "The model '" + id + "' is made of '" + model.base() + "', which is not served now."));
            return entry(model, base);
        });
    }

    private Optional<ModelRegistry.Entry> base(TuningStore.Model model) {
        return models.find(model.base()).filter(entry -> entry.origin().isPresent());
    }

    private synchronized ModelRegistry.Entry entry(TuningStore.Model model, ModelRegistry.Entry base) {
        Loaded known = loaded.get(model.id());
        if (known == null
                || known.base.origin().orElseThrow().loaded()
                        != base.origin().orElseThrow().loaded()) {
            known = new Loaded(base, load(model, base));
            loaded.put(model.id(), known);
            if (loaded.size() > MOST_LOADED) {
                loaded.remove(loaded.keySet().iterator().next());
            }
        }
        return known.entry;
    }

    private ModelRegistry.Entry load(TuningStore.Model model, ModelRegistry.Entry base) {
        Path folder = folder(model);
        try {
            ModelRegistry.Origin origin = base.origin().orElseThrow();
            if (AdapterFolder.is(folder)) {
                return Adapted.entry(model.id(), created(model), origin.withAdapter(Optional.of(folder)), base.chat());
            }
            LoadedModel own = LoadedModel.open(folder); // served until the process ends
            return new ModelRegistry.Entry(
                    own.generator(model.id(), setup.backend(), EngineLimits.DEFAULT),
                    created(model),
                    Adapted.format(folder, own, base.chat()),
                    Optional.empty());
        } catch (IOException | RuntimeException | Adapted.LoadException e) {
            LOG.log(Level.ERROR, "The model " + model.id() + " in " + folder + " cannot be loaded", e);
            throw ApiException.notReady("The model '" + model.id() + "' cannot be loaded; the server's log says why.");
        }
    }

    private static Instant created(TuningStore.Model model) {
        return Instant.ofEpochSecond(model.createdAt());
    }

    /// What a job that is to make something of this model begins with; empty where there is no such model, or none
    /// whose files are known.
    public Optional<TuningBase> base(String owner, String id) {
        Optional<TuningStore.Model> tuned = store.model(owner, id);
        String name = tuned.map(TuningStore.Model::base).orElse(id);
        return models.find(name).flatMap(ModelRegistry.Entry::origin).map(origin -> {
            Path source = origin.loaded().source();
            Optional<Path> folder =
                    tuned.map(model -> folder(model).toAbsolutePath()).or(origin::adapter);
            return folder.isPresent() && !AdapterFolder.is(folder.get())
                    ? new TuningBase(name, folder.get(), Optional.empty(), true)
                    : new TuningBase(name, source, folder, false);
        });
    }

    /// Forgets a model, and deletes its files with the last of its job's models.
    ///
    /// @return whether there was one
    public boolean delete(String owner, String id) {
        Optional<TuningStore.Model> found = store.model(owner, id);
        found.ifPresent(model -> {
            store.deleteModel(id);
            forget(id);
            if (!model.checkpoint()) {
                for (TuningStore.Model checkpoint : store.checkpoints(model.jobId())) {
                    store.deleteModel(checkpoint.id());
                    forget(checkpoint.id());
                }
                deleteFiles(setup.folder().resolve(model.jobId()));
            }
        });
        return found.isPresent();
    }

    private synchronized void forget(String id) {
        loaded.remove(id);
    }

    private static void deleteFiles(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            LOG.log(Level.WARNING, "Files of a deleted model are left in " + folder, e);
        }
    }
}
