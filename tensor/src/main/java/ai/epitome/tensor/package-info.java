/// Tensors on off-heap memory, and what everything about them stands on: threads, the memory of a step, row loops in
/// the Vector API. Products, attention, quantised weights and differentiation are packages of their own.
package ai.epitome.tensor;
