/// The HTTP service: completions in OpenAI's shapes and the page that shows a model learning.
///
/// A request runs from top to bottom on its own virtual thread:
/// `Http -> CompletionRequestParser -> Completions -> GenerationQueue -> CompletionModel -> EventStream or JSON`.
/// What training has to tell arrives through [ai.epitome.serve.TrainingProgress]; this module knows no trainer.
package ai.epitome.serve;
