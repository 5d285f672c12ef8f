/// The `exact` numerics profile: kernels that give the same bits on every machine, for compression.
package ai.epitome.tensor.exact;
