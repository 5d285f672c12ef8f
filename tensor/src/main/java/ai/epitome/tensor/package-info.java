/// Tensors on off-heap memory, kernels, backends and autograd.
package ai.epitome.tensor;
