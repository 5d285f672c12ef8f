package ai.epitome.serve.generation;

import ai.epitome.serve.metering.RequestMeter;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// A request for something computed that has been read and checked.
///
/// @param stream whether the answer is wanted as a stream
/// @param answer makes the answer of something that tells when to stop
public record Asked(boolean stream, Function<BooleanSupplier, Answer> answer) {

    /// Reads bodies of one route; what a batch can ask for line by line.
    @FunctionalInterface
    public interface Reader {
        /// @throws ai.epitome.serve.http.ApiException when there is no such model, or the body is wrong
        Asked read(byte[] body, RequestMeter meter);
    }
}
