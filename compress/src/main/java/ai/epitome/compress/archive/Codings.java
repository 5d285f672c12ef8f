package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.Method;
import ai.epitome.compress.Method.Numerics;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.mix.MixingPredictor;
import ai.epitome.compress.mix.MixingSize;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/// Which codings there are, and which one an archive asks for.
public final class Codings {
    /// Of a stream whose length nobody knows, without taking half a gigabyte for a few bytes.
    private static final MixingSize UNKNOWN_LENGTH = new MixingSize(22, 22);
    /// So that an archive of a few bytes cannot ask for more memory than a long file does.
    private static final MixingSize LARGEST = MixingSize.of(1L << 40);

    private static final MixingSize PROBE = new MixingSize(10, 10);

    private Codings() {}

    /// Mixing of contexts.
    ///
    /// @param length of what each codec will see, where it is known: it decides how much memory both sides take
    public static Coding mixed(OptionalLong length) {
        return mixed(length.isPresent() ? MixingSize.of(length.getAsLong()) : UNKNOWN_LENGTH);
    }

    private static Coding mixed(MixingSize size) {
        byte[] settings = {(byte) size.slotBits(), (byte) size.historyBits()};
        Method method = new Method(true, false, Optional.empty(), Numerics.INTEGERS, settings);
        return new MixedCoding(
                method, () -> new MixingPredictor(size), () -> new MixingPredictor(PROBE), size.memory());
    }

    /// The coding that reads an archive.
    ///
    /// @throws ArchiveException when this version has none, or it needs a model
    public static Coding of(ArchiveHeader header) throws ArchiveException {
        Method method = header.method();
        if (method.isStored()) {
            return new StoredCoding();
        }
        if (method.mixed() && !method.learning() && method.model().isEmpty()) {
            return mixed(mixingSize(method.settings()));
        }
        header.requireSameModel(Optional.empty());
        throw new ArchiveException(
                Reason.UNSUPPORTED_VERSION, "method `%s`; this Epitome cannot decode it".formatted(method.name()));
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
}
