package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.Method;

/// Which coding an archive asks for.
public final class Codings {
    private Codings() {}

    /// The best coding that needs no model.
    public static Coding withoutModel() {
        return new StoredCoding();
    }

    /// The coding that reads an archive.
    ///
    /// @throws ArchiveException when this version has none
    public static Coding of(ArchiveHeader header) throws ArchiveException {
        Method method = header.method();
        if (method.isStored()) {
            return new StoredCoding();
        }
        throw new ArchiveException(
                Reason.UNSUPPORTED_VERSION, "method `%s`; this Epitome cannot decode it".formatted(method.name()));
    }
}
