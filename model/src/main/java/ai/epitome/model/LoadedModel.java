package ai.epitome.model;

import ai.epitome.tensor.Backend;
import ai.epitome.text.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/// A model folder in memory.
///
/// @param folder where it came from; its name is the model's name
/// @param transformer the network; close it when done
/// @param tokenizer what turns text into its tokens; a folder of weights alone has none
/// @param defaults which tokens end a text, and how to sample
public record LoadedModel(
        Path folder, Transformer transformer, Optional<Tokenizer> tokenizer, GenerationDefaults defaults)
        implements AutoCloseable {

    /// The folder's name.
    public String id() {
        return folder.toAbsolutePath().normalize().getFileName().toString();
    }

    /// The model as a service uses it.
    ///
    /// @throws IllegalStateException when the folder has no tokenizer
    public TextGenerator generator(Backend backend) {
        Tokenizer own = tokenizer.orElseThrow(() -> new IllegalStateException(
                "%s has no tokenizer.json, so it can neither read nor write text: put the one that it was trained with there"
                        .formatted(folder)));
        return new TextGenerator(id(), transformer, own, defaults.endOfText(), backend);
    }

    /// The model as a measure of texts; each is taken to follow an end-of-text token where the tokenizer has one.
    public Scorer scorer(Backend backend) {
        return new Scorer(
                transformer, backend, tokenizer.map(Tokenizer::endOfText).orElse(OptionalInt.empty()));
    }

    @Override
    public void close() {
        transformer.close();
    }
}
