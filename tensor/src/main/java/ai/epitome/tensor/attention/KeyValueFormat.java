package ai.epitome.tensor.attention;

import ai.epitome.tensor.DType;

/// How a [KeyValueMemory] holds a number of a key or value. Files of keys and values hold the place in this order.
public enum KeyValueFormat {
    F32(4),
    /// What attention computes with where products run in bf16: nothing is lost by keeping it so.
    BF16(2),
    /// Whole numbers from -127 to 127, and for the key and the value of each head and token a factor in f32: the
    /// largest magnitude there is 127. Half the memory of bf16.
    Q8(1),
    /// IEEE 754's half precision: eight times as fine as bf16 in the same memory, from 6e-5 to 65504 in magnitude. What
    /// is less is held less finely, what is more as 65504.
    F16(2);

    private final int bytes;

    KeyValueFormat(int bytes) {
        this.bytes = bytes;
    }

    /// Bytes of one number.
    int bytes() {
        return bytes;
    }

    /// What keeps activations of this dtype as they are.
    public static KeyValueFormat of(DType compute) {
        return compute == DType.BF16 ? BF16 : F32;
    }
}
