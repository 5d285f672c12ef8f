package ai.epitome.tensor.block;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;

/// `y = x · Wᵀ + b` where `W` lies in quantised blocks. [BlockActivations] defines it to the bit; implementations
/// differ in speed alone.
public sealed interface BlockProduct permits VectorBlockProduct, AmxBlockProduct {
    /// @param x (N, in) in any floating dtype
    /// @param w (out, in)
    /// @param bias (out) or null
    /// @param y (N, out), f32 or bf16
    void multiply(Tensor x, BlockMatrix w, Tensor bias, Tensor y, Workers workers);
}
