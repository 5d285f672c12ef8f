package ai.epitome.serve.conversation;

/// A beginning of conversations that somebody keeps.
///
/// @param settings how they are answered; their model is not kept
/// @param created milliseconds since 1970
public record Preset(String id, String name, Settings settings, long created) {
    /// What a new one is made from.
    public static final Preset DEFAULT = new Preset("", "", Settings.DEFAULT, 0);

    Preset named(String newId, long now) {
        return new Preset(newId, name, settings, now);
    }
}
