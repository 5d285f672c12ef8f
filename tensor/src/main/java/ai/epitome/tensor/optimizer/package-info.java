/// What optimizers do to values and gradients: updates of rows, and orthogonalization by Newton-Schulz.
package ai.epitome.tensor.optimizer;
