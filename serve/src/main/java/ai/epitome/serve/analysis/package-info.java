/// What is said about texts: embeddings and moderations.
package ai.epitome.serve.analysis;
