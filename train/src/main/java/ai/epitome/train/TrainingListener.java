package ai.epitome.train;

/// Hears what happens in a run. Called on the training thread, which waits.
@FunctionalInterface
public interface TrainingListener {
    void on(TrainingEvent event);

    /// Tells several listeners, in order.
    static TrainingListener all(TrainingListener... listeners) {
        return event -> {
            for (TrainingListener listener : listeners) {
                listener.on(event);
            }
        };
    }
}
