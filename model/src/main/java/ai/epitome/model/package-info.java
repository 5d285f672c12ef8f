/// A model with its tokenizer, whatever files hold it: [LoadedModel]; and what it makes of held-out text: [Scorer].
/// The network, the engine, generation and each format of files are packages of their own.
package ai.epitome.model;
