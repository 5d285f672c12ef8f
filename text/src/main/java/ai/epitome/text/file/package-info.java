/// Tokenizers to and from the files of others: `tokenizer.json`, GGUF, SentencePiece, tiktoken, GPT-2, llama2.c. From
/// outside, all of them go through [Tokenizers].
package ai.epitome.text.file;
