package ai.epitome.serve.registry;

import ai.epitome.serve.account.DatabaseException;
import ai.epitome.serve.store.PromotionStore;
import ai.epitome.serve.store.PromotionStore.Promotion;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Serves models as they are promoted: looks every two seconds which adapter is to answer for each, and lets it answer
/// from then on. Requests under way end with the adapter that they began with. An adapter that cannot be loaded changes
/// nothing.
public final class PromotedModels {
    private static final System.Logger LOG = System.getLogger(PromotedModels.class.getName());
    private static final long POLL_MILLIS = 2_000;

    private final ModelRegistry models;
    private final PromotionStore store;
    private final Map<String, Path> failed = new HashMap<>(); // by model: not tried again
    private Thread following;

    public PromotedModels(ModelRegistry models, PromotionStore store) {
        this.models = models;
        this.store = store;
    }

    /// Begins to follow, with what is so now.
    public void start() {
        follow();
        following = Thread.ofVirtual().name("promotions").start(() -> {
            try {
                while (true) {
                    Thread.sleep(POLL_MILLIS);
                    follow();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /// Ends, and waits until it has.
    public void stop() throws InterruptedException {
        following.interrupt();
        following.join();
    }

    private void follow() {
        for (ModelRegistry.Entry entry : models.all()) {
            try {
                entry.origin().ifPresent(origin -> follow(entry, origin));
            } catch (DatabaseException e) {
                LOG.log(Level.WARNING, "Promotions could not be looked for", e);
            }
        }
    }

    private void follow(ModelRegistry.Entry entry, ModelRegistry.Origin origin) {
        String id = entry.model().id();
        Optional<Promotion> promotion = store.current(id);
        Optional<Path> adapter = promotion.map(Promotion::adapter);
        if (adapter.equals(origin.adapter())
                || adapter.filter(path -> path.equals(failed.get(id))).isPresent()) {
            return;
        }
        try {
            models.replace(entry, Adapted.entry(id, entry.created(), origin.withAdapter(adapter), entry.chat()));
            failed.remove(id);
            LOG.log(
                    Level.INFO,
                    adapter.map(path -> "The adapter in " + path + " answers for " + id)
                            .orElse(id + " answers as it is"));
        } catch (Adapted.LoadException e) {
            failed.put(id, adapter.orElseThrow());
            LOG.log(Level.ERROR, "The promoted adapter of " + id + " cannot be loaded, and changes nothing", e);
        }
    }
}
