package ai.epitome.train.pretrain;

import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.Interval;
import ai.epitome.train.Schedule;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.data.BundledText;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusSummary;
import ai.epitome.train.data.Dataset;
import ai.epitome.train.data.HeldOut;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A pretraining run of a fraction of a second that uses everything: dropout, clipping, accumulation, an average.
final class TinyRun implements AutoCloseable {
    static final Recipe RECIPE = new Recipe(
            TransformerConfig.ofDepth(1, 257, 16),
            TrainingConfig.ofSteps(24, 2, 16).with(c -> {
                c.accumulation = 2;
                c.optimizer = OptimizerConfig.muon(0.02, 0.003, 0.1);
                c.schedule = new Schedule(Schedule.Shape.COSINE, 4, 0, 0.1);
                c.dropout = 0.1f;
                c.average = 0.9;
                c.checkpoint = Interval.ofSteps(4);
                c.evaluate = Interval.ofSteps(6);
            }));

    final Backend backend = Backend.of(Kernels.JAVA, Precision.F32, 2);
    final Dataset dataset;

    /// Two hundred documents of Shakespeare.
    TinyRun(Path cache) throws IOException {
        byte[] text = BundledText.tinyshakespeare();
        List<byte[]> documents = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            documents.add(Arrays.copyOfRange(text, 100 * i, 100 * i + 60 + i % 40));
        }
        Corpus corpus = Corpus.ofTexts(documents);
        CorpusSummary summary = corpus.scan();
        dataset = Dataset.prepare(
                corpus, summary, HeldOut.choose(corpus, summary), new ByteTokenizer(), cache, 2, _ -> {});
    }

    Pretraining open(Path folder, boolean packed, TrainingListener listener) throws IOException {
        return Pretraining.open(
                new Pretraining.Settings(
                        folder,
                        "a tiny run",
                        RECIPE,
                        packed,
                        "epitome pretrain tiny",
                        Path.of("").toAbsolutePath()),
                dataset,
                new ByteTokenizer(),
                Optional.empty(),
                backend,
                listener);
    }

    @Override
    public void close() {
        dataset.close();
        backend.workers().close();
    }
}
