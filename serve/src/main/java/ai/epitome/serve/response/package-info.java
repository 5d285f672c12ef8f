/// OpenAI's responses and their conversations, in the background too.
package ai.epitome.serve.response;
