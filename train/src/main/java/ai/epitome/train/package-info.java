/// What any training stands on: the trainer, batches, schedules and checkpoints. Data, optimizers and each kind of
/// learning are packages of their own.
package ai.epitome.train;
