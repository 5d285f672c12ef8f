package ai.epitome.compress;

import java.util.Optional;

/// What an archive says of how its blocks are coded.
///
/// @param mixed context mixing
/// @param learning a network that begins without weights and learns as it codes
/// @param model a trained network; the archive holds its hashes only
/// @param settings what else the decoder has to know, [#MAX_SETTINGS] bytes at most
public record Method(boolean mixed, boolean learning, Optional<ModelHashes> model, Numerics numerics, byte[] settings) {
    public static final int MAX_SETTINGS = 255;

    /// Blocks as they are.
    public static final Method STORED = new Method(false, false, Optional.empty(), Numerics.NONE, new byte[0]);

    /// Which rules arithmetic keeps, so that every machine predicts the same.
    public enum Numerics {
        /// Nothing is predicted.
        NONE,
        /// Integers alone.
        INTEGERS,
        /// The `exact` profile of the tensor engine.
        EXACT
    }

    /// Whether blocks are kept as they are.
    public boolean isStored() {
        return !mixed && !learning && model.isEmpty();
    }

    /// A name for people: `stored`, `mixed`, `learning + mixed`, `pretrained`, ...
    public String name() {
        String network = learning ? "learning" : model.isPresent() ? "pretrained" : "";
        if (mixed) {
            return network.isEmpty() ? "mixed" : network + " + mixed";
        }
        return network.isEmpty() ? "stored" : network;
    }
}
