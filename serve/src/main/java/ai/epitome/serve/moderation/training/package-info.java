/// Learns the classifier of moderation, and measures moderators:
/// [ai.epitome.serve.moderation.training.ClassifierTraining],
/// [ai.epitome.serve.moderation.training.Evaluation].
package ai.epitome.serve.moderation.training;
