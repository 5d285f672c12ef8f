/// Texts from a model: what a request asks, sampling, and the text that comes of it, piece by piece.
/// [ai.epitome.model.generation.CompletionModel] is what a service sees.
package ai.epitome.model.generation;
