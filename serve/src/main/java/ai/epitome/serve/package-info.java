/// The HTTP service: completions in OpenAI's shapes and the page that shows a model learning.
package ai.epitome.serve;
