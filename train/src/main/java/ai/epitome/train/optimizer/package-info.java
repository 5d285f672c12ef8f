/// Optimizers: AdamW, Muon, and the norm of gradients. They change parameters in place and keep their state as named
/// tensors, so that a checkpoint is a list of tensors and a count.
package ai.epitome.train.optimizer;
