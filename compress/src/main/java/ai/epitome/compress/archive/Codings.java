package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Method;
import ai.epitome.compress.Method.Numerics;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.gpt.GptCoding;
import ai.epitome.compress.gpt.LearningCoding;
import ai.epitome.compress.gpt.MixedGptCoding;
import ai.epitome.compress.mix.MixingPredictor;
import ai.epitome.compress.mix.MixingSize;
import ai.epitome.tensor.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Which codings there are, and which one an archive asks for. One object serves many archives, one after another: what
/// is costly, a model in memory and kernel threads, is made when it is first needed, and once.
///
/// Closing it ends the threads; its codings are of no use afterwards.
public final class Codings implements AutoCloseable {
    /// Of a stream whose length nobody knows, without taking half a gigabyte for a few bytes.
    private static final MixingSize UNKNOWN_LENGTH = new MixingSize(22, 22);
    /// So that an archive of a few bytes cannot ask for more memory than a long file does.
    private static final MixingSize LARGEST = MixingSize.of(1L << 40);

    private final Optional<Path> model;
    private final int threads;
    private Workers workers; // null until needed, as what follows
    private ExecutorService trainers;
    private ModelHashes hashes;
    private GptCoding pretrained;

    /// @param model the trained model, a folder or a file, where one is at hand
    /// @param threads for kernels
    /// @throws NoSuchFileException when there is no such thing
    public Codings(Optional<Path> model, int threads) throws IOException {
        if (model.isPresent() && !Files.exists(model.get())) {
            throw new NoSuchFileException(model.get().toString(), null, "no such model folder or file");
        }
        this.model = model;
        this.threads = threads;
    }

    /// Mixing of contexts.
    ///
    /// @param length of what each codec will see, where it is known: it decides how much memory both sides take
    public Coding mixed(OptionalLong length) {
        return mixed(size(length));
    }

    private static MixingSize size(OptionalLong length) {
        return length.isPresent() ? MixingSize.of(length.getAsLong()) : UNKNOWN_LENGTH;
    }

    private static MixedCoding mixed(MixingSize size) {
        byte[] settings = {(byte) size.slotBits(), (byte) size.historyBits()};
        Method method = new Method(true, false, Optional.empty(), Numerics.INTEGERS, settings);
        return new MixedCoding(
                method, () -> new MixingPredictor(size), () -> new MixingPredictor(MixingSize.PROBE), size.memory());
    }

    /// Prediction by the trained model.
    ///
    /// @throws IOException when it cannot be read, or its tokens cannot stand for all bytes
    public Coding pretrained() throws IOException {
        if (pretrained == null) {
            pretrained = GptCoding.open(folder(), hashes(), workers());
        }
        return pretrained;
    }

    /// The same, its predictions mixed with those of contexts.
    ///
    /// @throws IOException when it cannot be read, or its tokens cannot stand for all bytes
    public Coding pretrainedMixed(OptionalLong length) throws IOException {
        pretrained();
        return pretrainedMixed(size(length));
    }

    private Coding pretrainedMixed(MixingSize size) {
        return new MixedGptCoding(pretrained, mixed(size), size);
    }

    /// Prediction by a network that learns as it codes.
    ///
    /// @param mixed whether its predictions are mixed with those of contexts
    public Coding learning(OptionalLong length, boolean mixed) {
        Optional<MixingSize> mixing = mixed ? Optional.of(size(length)) : Optional.empty();
        return LearningCoding.of(length.orElse(Long.MAX_VALUE), mixing, trainers());
    }

    /// The coding that reads an archive.
    ///
    /// @throws ArchiveException when this version has none, or it needs another model than the one at hand
    public Coding of(ArchiveHeader header) throws IOException {
        Method method = header.method();
        boolean trained = method.model().isPresent();
        if (method.isStored()) {
            return new StoredCoding();
        }
        if (trained) {
            header.requireSameModel(model.isPresent() ? Optional.of(hashes()) : Optional.empty());
        }
        try {
            return predicting(method);
        } catch (MalformedCodeException e) {
            throw new ArchiveException(Reason.UNSUPPORTED_VERSION, e.getMessage() + ": a later Epitome may know them");
        }
    }

    private Coding predicting(Method method) throws IOException {
        byte[] settings = method.settings();
        int own = method.model().isPresent() ? GptCoding.SETTINGS : method.learning() ? LearningCoding.SETTINGS : 0;
        if (method.learning() && method.model().isPresent() || settings.length != own + (method.mixed() ? 2 : 0)) {
            throw new MalformedCodeException(
                    "settings `%s` of method `%s`".formatted(HexFormat.of().formatHex(settings), method.name()));
        }
        Optional<MixingSize> mixing =
                method.mixed() ? Optional.of(mixingSize(settings[own], settings[own + 1])) : Optional.empty();
        if (method.learning()) {
            return LearningCoding.of(settings, mixing, trainers());
        }
        if (method.model().isEmpty()) {
            return mixed(mixing.orElseThrow());
        }
        byte[] network = Arrays.copyOf(settings, own);
        if (pretrained == null || !Arrays.equals(pretrained.method().settings(), network)) {
            pretrained = GptCoding.open(folder(), hashes(), network, workers());
        }
        return mixing.isPresent() ? pretrainedMixed(mixing.get()) : pretrained;
    }

    private Path folder() {
        return model.orElseThrow(() -> new IllegalStateException("no model was given"));
    }

    private ModelHashes hashes() throws IOException {
        if (hashes == null) {
            hashes = ModelHashes.of(folder());
        }
        return hashes;
    }

    private Workers workers() {
        if (workers == null) {
            workers = new Workers(threads);
        }
        return workers;
    }

    /// Threads that learners train on; none with one thread.
    private Executor trainers() {
        if (threads == 1) {
            return Runnable::run;
        }
        if (trainers == null) {
            trainers = Executors.newCachedThreadPool(
                    Thread.ofPlatform().daemon().name("learner-", 0).factory());
        }
        return trainers;
    }

    private static MixingSize mixingSize(int slotBits, int historyBits) {
        if (slotBits <= LARGEST.slotBits() && historyBits <= LARGEST.historyBits()) {
            try {
                return new MixingSize(slotBits, historyBits);
            } catch (IllegalArgumentException e) {
                // told below
            }
        }
        throw new MalformedCodeException("settings %d and %d of mixing".formatted(slotBits, historyBits));
    }

    @Override
    public void close() {
        if (workers != null) {
            workers.close();
        }
        if (trainers != null) {
            trainers.shutdown();
        }
    }
}
