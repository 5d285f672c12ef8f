/// Texts and tokens: `tokenizer`, `split`, `tasks`.
package ai.epitome.cli.text;
