package ai.epitome.serve;

import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import java.util.Optional;
import java.util.Set;

/// A small network with drawn weights over bytes: it says nothing that makes sense, which is what constraints are to be
/// tested with.
final class UntrainedModel {
    static final String ID = "untrained";
    private static final int CONTEXT = 2048;

    private UntrainedModel() {}

    /// Serves it.
    static void on(TestServer server) {
        TransformerConfig config = TransformerConfig.ofDepth(1, 257, CONTEXT).with(c -> {
            c.width = 32;
            c.headDimension = 8;
            c.heads = 4;
            c.keyValueHeads = 2;
            c.hidden = 48;
        });
        Initialization drawn =
                new Initialization(5, Initialization.Matrices.FAN_IN_UNIFORM, Initialization.Outputs.PLAIN, 0.1f, 0.1f);
        server.models.put(
                new TextGenerator(
                        ID, new Transformer(config, drawn), new ByteTokenizer(), Set.of(256), Backend.best(1)),
                TestServer.CREATED,
                Optional.of(format()));
    }

    /// Conversations in plain words.
    static ChatFormat format() {
        return ChatFormat.of(ChatTemplates.NONE, new ByteTokenizer());
    }
}
