package ai.epitome.tensor.backend;

import java.util.stream.Stream;

/// Products that stand on no library: Java's, and where the processor has AMX its machine code beside Java's.
public final class OwnProducts {
    private OwnProducts() {}

    public static Stream<MatrixProduct> all() {
        return AmxProduct.load() instanceof Loading.Loaded(AmxProduct amx)
                ? Stream.of(new VectorProduct(), new ChosenProduct(VectorProduct::new, amx))
                : Stream.of(new VectorProduct());
    }
}
