/// Completions, chat completions and tokens: what is asked, the turn of the assistant, and OpenAI's shapes.
package ai.epitome.serve.completion;
