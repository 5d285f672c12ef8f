/// The page's files, and what it asks of models and of a training run.
package ai.epitome.serve.page;
