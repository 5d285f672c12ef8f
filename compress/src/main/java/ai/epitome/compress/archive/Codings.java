package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Method;
import ai.epitome.compress.Method.Numerics;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.gpt.GptCoding;
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

/// Which codings there are, and which one an archive asks for. One object serves many archives, one after another: what
/// is costly, a model in memory and kernel threads, is made when it is first needed, and once.
///
/// Closing it ends the threads; its codings are of no use afterwards.
public final class Codings implements AutoCloseable {
    /// Of a stream whose length nobody knows, without taking half a gigabyte for a few bytes.
    private static final MixingSize UNKNOWN_LENGTH = new MixingSize(22, 22);
    /// So that an archive of a few bytes cannot ask for more memory than a long file does.
    private static final MixingSize LARGEST = MixingSize.of(1L << 40);

    private static final MixingSize PROBE = new MixingSize(10, 10);

    private final Optional<Path> model;
    private final int threads;
    private Workers workers; // null until needed, as what follows
    private ModelHashes hashes;
    private GptCoding pretrained;

    /// @param model folder of the trained model, where one is at hand
    /// @param threads for kernels
    /// @throws NoSuchFileException when there is no such folder
    public Codings(Optional<Path> model, int threads) throws IOException {
        if (model.isPresent() && !Files.isDirectory(model.get())) {
            throw new NoSuchFileException(model.get().toString(), null, "no such model folder");
        }
        this.model = model;
        this.threads = threads;
    }

    /// Mixing of contexts.
    ///
    /// @param length of what each codec will see, where it is known: it decides how much memory both sides take
    public Coding mixed(OptionalLong length) {
        return mixed(length.isPresent() ? MixingSize.of(length.getAsLong()) : UNKNOWN_LENGTH);
    }

    private static Coding mixed(MixingSize size) {
        byte[] settings = {(byte) size.slotBits(), (byte) size.historyBits()};
        Method method = new Method(true, false, Optional.empty(), Numerics.INTEGERS, settings);
        return new MixedCoding(
                method, () -> new MixingPredictor(size), () -> new MixingPredictor(PROBE), size.memory());
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
        if (method.mixed() && !method.learning() && !trained) {
            return mixed(mixingSize(method.settings()));
        }
        if (trained && !method.learning() && !method.mixed()) {
            return pretrained(method);
        }
        throw new ArchiveException(
                Reason.UNSUPPORTED_VERSION, "method `%s`; this Epitome cannot decode it".formatted(method.name()));
    }

    private Coding pretrained(Method method) throws IOException {
        if (pretrained == null || !Arrays.equals(pretrained.method().settings(), method.settings())) {
            try {
                pretrained = GptCoding.open(folder(), method, workers());
            } catch (MalformedCodeException e) {
                throw new ArchiveException(
                        Reason.UNSUPPORTED_VERSION, e.getMessage() + ": a later Epitome may know them");
            }
        }
        return pretrained;
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

    private static MixingSize mixingSize(byte[] settings) throws ArchiveException {
        if (settings.length == 2 && settings[0] <= LARGEST.slotBits() && settings[1] <= LARGEST.historyBits()) {
            try {
                return new MixingSize(settings[0], settings[1]);
            } catch (IllegalArgumentException e) {
                // told below
            }
        }
        throw new ArchiveException(
                Reason.UNSUPPORTED_VERSION,
                "settings %s of mixing: a later Epitome may know them"
                        .formatted(HexFormat.of().formatHex(settings)));
    }

    @Override
    public void close() {
        if (workers != null) {
            workers.close();
        }
    }
}
