/// Tokenizers: training, encoding, decoding, and their files.
package ai.epitome.text;
