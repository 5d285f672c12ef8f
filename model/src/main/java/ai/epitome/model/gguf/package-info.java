/// GGUF files read: the format ([ai.epitome.model.gguf.Gguf]), what it says of a model
/// ([ai.epitome.model.gguf.GgufModel]), and the weights, which stay where they are.
package ai.epitome.model.gguf;
