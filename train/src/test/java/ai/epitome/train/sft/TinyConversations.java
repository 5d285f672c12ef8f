package ai.epitome.train.sft;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.Interval;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.Corpus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/// A model of one block that is told to say "yes" to even numbers and "no" to odd ones.
final class TinyConversations implements AutoCloseable {
    static final int LENGTH = 96;
    static final TrainingConfig CONFIG = FineTuningRecipe.forSteps(
                    TrainingConfig.ofSteps(1, 4, LENGTH).with(c -> {
                        c.optimizer = OptimizerConfig.adamW(3e-3, 0.01);
                        c.accumulation = 2;
                        c.dropout = 0.1f;
                    }),
                    24)
            .with(c -> c.checkpoint = Interval.ofSteps(5));

    final Backend backend = Backend.of(Kernels.JAVA, Precision.F32, 2);
    final ChatEncoding format;
    final ConversationSet data;

    TinyConversations() throws IOException {
        this(ChatStyle.CHATML);
    }

    TinyConversations(ChatStyle style) throws IOException {
        format = style.over(new ByteTokenizer());
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 120; i++) {
            text.append(
                    "{\"instruction\": \"Is %d even?\", \"output\": \"%s\"}\n".formatted(i, i % 2 == 0 ? "yes" : "no"));
        }
        data = ConversationSet.read(
                Corpus.of("chats.jsonl", text.toString().getBytes(StandardCharsets.UTF_8)),
                format,
                LongConversations.DROP,
                LENGTH);
    }

    static Transformer transformer() {
        return new Transformer(TransformerConfig.ofDepth(1, 257, 128), Initialization.gpt2(3));
    }

    /// A base model that knows nothing of conversations.
    static LoadedModel base() {
        ByteTokenizer tokenizer = new ByteTokenizer();
        return new LoadedModel(
                Path.of("base"), transformer(), Optional.of(tokenizer), GenerationDefaults.of(tokenizer.endOfText()));
    }

    static FineTuning.Settings settings(Path folder, Optional<Adapter.Settings> adapter) {
        return new FineTuning.Settings(
                folder,
                "a tiny chat",
                "base",
                adapter,
                CONFIG,
                "epitome sft tiny",
                Path.of("").toAbsolutePath());
    }

    FineTuning open(Path folder, TrainingListener listener) throws IOException {
        return open(settings(folder, Optional.empty()), listener);
    }

    FineTuning open(FineTuning.Settings settings, TrainingListener listener) throws IOException {
        return FineTuning.open(settings, base(), format, data, backend, listener);
    }

    @Override
    public void close() {
        backend.workers().close();
    }
}
