/// Batches, optimizers, schedules, checkpoints and pretraining.
package ai.epitome.train;
