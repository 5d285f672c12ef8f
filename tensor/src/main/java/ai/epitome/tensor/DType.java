package ai.epitome.tensor;

/// Element types that a [Tensor] can hold.
public enum DType {
    /// IEEE 754 binary32.
    F32(4),
    /// The upper half of a binary32: 8 exponent bits, 7 mantissa bits.
    BF16(2),
    /// IEEE 754 binary16. Held and converted; no kernel computes in it.
    F16(2),
    /// Two's complement 32-bit integer, for token ids.
    I32(4);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /// Size of one element in bytes.
    public int bytes() {
        return bytes;
    }
}
