/// Tokenizers: how text becomes ids and ids text, and how merges are learned. Their files are in
/// [ai.epitome.text.file], the cutting of text before merging in [ai.epitome.text.split].
package ai.epitome.text;
