/// How GGUF files hold numbers, plain and quantised in blocks: to floats
/// ([ai.epitome.tensor.format.BlockFormat]) and back ([ai.epitome.tensor.format.BlockEncoder]).
package ai.epitome.tensor.format;
