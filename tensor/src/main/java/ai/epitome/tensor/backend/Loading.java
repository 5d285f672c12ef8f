package ai.epitome.tensor.backend;

import java.io.IOException;

/// What came of looking for a product that needs more than Java: a native library, or instructions of the CPU.
///
/// @param <P> the product
public sealed interface Loading<P extends MatrixProduct> {
    /// It runs here.
    record Loaded<P extends MatrixProduct>(P product) implements Loading<P> {}

    /// It does not run here, and why, in one line.
    record Unavailable<P extends MatrixProduct>(String reason) implements Loading<P> {}

    /// Opens a product.
    @FunctionalInterface
    interface Opening<P extends MatrixProduct> {
        P open() throws IOException;
    }

    /// The product, or why there is none.
    static <P extends MatrixProduct> Loading<P> of(Opening<P> opening) {
        try {
            return new Loaded<>(opening.open());
        } catch (ExceptionInInitializerError e) {
            return new Unavailable<>(e.getCause().toString()); // native calls are not allowed, say
        } catch (IOException | RuntimeException | LinkageError e) {
            String reason = e.getMessage() == null ? e.toString() : e.getMessage();
            return new Unavailable<>(reason.strip().replace('\n', ' '));
        }
    }
}
