package ai.epitome.train.pretrain;

import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a training run would have paid to send its training text: the receiver starts from the same random weights,
/// decodes each batch with the model as it is, and then learns it as the sender does. So the sum of the batches'
/// losses, each before its step, is the length of a code of the text that needs no weights (Dawid 1984, "Present
/// position and potential developments: the prequential approach"; Blier and Ollivier 2018, "The description length of
/// deep learning models").
///
/// Text that comes a second time is no news: only the steps before any token was repeated count. What the receiver
/// must be told besides is in [Code#besides].
public sealed interface PrequentialCode {
    /// A run whose log allows the sum.
    ///
    /// @param steps that count
    /// @param tokens that they coded, each for the first time
    /// @param bytes of text that these stand for
    /// @param batches bits of the tokens, the sum of the steps' losses
    /// @param besides bits of what the receiver must be told in addition: the tokenizer's file; for each window its
    ///     first token, at log2 of the vocabulary, since nothing predicts it; 64 bits for each step's learning rate
    ///     where a time and not a number of steps was given; of packed rows also 32 bits for each document's length
    /// @param passes how often the whole run read its training text
    /// @param dropout probability of dropout: masks follow from the seed, so a receiver can draw them too, but with
    ///     them the code is longer than the model alone would need
    record Code(long steps, long tokens, long bytes, double batches, double besides, double passes, double dropout)
            implements PrequentialCode {
        /// All that is sent.
        public double bits() {
            return batches + besides;
        }

        /// The same for each byte of the text.
        public double bitsPerByte() {
            return bits() / bytes;
        }
    }

    /// There is no such sum.
    ///
    /// @param reason why
    record Unknown(String reason) implements PrequentialCode {}

    /// The run that made a model, by what it left in the model's folder. Of a model that is a file nothing is known.
    ///
    /// @throws IOException when one of these files cannot be read
    static PrequentialCode of(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return new Unknown("it is a file, so how it was trained is not known here");
        }
        Path log = folder.resolve(RunLog.FILE);
        Path config = folder.resolve(TrainingConfig.FILE);
        Optional<DataRecord> data = DataRecord.read(folder);
        for (Path file : List.of(log, config, folder.resolve(DataRecord.FILE))) {
            if (!Files.exists(file)) {
                return new Unknown(
                        "the folder has no %s, so how it was trained is not known here".formatted(file.getFileName()));
            }
        }
        TrainingConfig training = TrainingConfig.fromJson(Files.readAllBytes(config), config.toString());
        Path tokenizer = folder.resolve("tokenizer.json");
        double tokenizerBits = Files.exists(tokenizer) ? 8.0 * Files.size(tokenizer) : 0;
        int vocabulary = ModelFolder.config(folder).vocabulary();
        return PrequentialSum.of(log, training, data.orElseThrow(), vocabulary, tokenizerBits);
    }
}
