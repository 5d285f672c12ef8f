package ai.epitome.serve.registry;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.text.jinja.JinjaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// Served models with adapters from folders.
public final class Adapted {
    private Adapted() {}

    /// An adapter that is not there, or damaged, or another model's.
    public static final class LoadException extends Exception {
        private static final long serialVersionUID = 1;

        LoadException(Path folder, Exception cause) {
            super("the adapter in " + folder + " cannot be loaded", cause);
        }
    }

    /// The entry of a model as its adapter changes it; as it is, where it has none. It writes conversations as the
    /// adapter's folder says.
    ///
    /// @param id what it is called
    /// @param chat how its base writes them
    public static ModelRegistry.Entry entry(
            String id, Instant created, ModelRegistry.Origin origin, Optional<ChatFormat> chat) throws LoadException {
        if (origin.adapter().isEmpty()) {
            Optional<ChatFormat> own = format(origin.loaded().source(), origin.loaded(), chat);
            return new ModelRegistry.Entry(origin.generator(), created, own, Optional.of(origin));
        }
        Path folder = origin.adapter().get();
        LoadedModel model = origin.loaded();
        try {
            Adapter adapter = AdapterFolder.load(folder, model.transformer());
            Set<Integer> ends = new HashSet<>(model.defaultsOf(folder).endOfText());
            ends.addAll(ChatFormat.endsOfTurn(tokenizer(model)));
            return new ModelRegistry.Entry(
                    origin.generator().with(id, adapter, ends),
                    created,
                    format(folder, model, chat),
                    Optional.of(origin));
        } catch (IOException | RuntimeException e) {
            throw new LoadException(folder, e);
        }
    }

    private static Tokenizer tokenizer(LoadedModel model) {
        return model.tokenizer().orElseThrow();
    }

    /// How a folder's template writes conversations; `otherwise` where it has none that can be read.
    public static Optional<ChatFormat> format(Path folder, LoadedModel model, Optional<ChatFormat> otherwise) {
        if (!hasTemplate(folder)) {
            return otherwise;
        }
        try {
            return Optional.of(ChatFormat.of(ChatTemplates.of(folder), tokenizer(model)));
        } catch (IOException | JinjaException e) {
            return otherwise;
        }
    }

    /// Whether an adapter's folder has a chat template of its own.
    public static boolean hasTemplate(Path folder) {
        return Files.exists(folder.resolve("chat_template.jinja"));
    }
}
