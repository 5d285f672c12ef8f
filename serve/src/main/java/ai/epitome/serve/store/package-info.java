/// What clients have kept on the server: responses and conversations, files and batches. Each belongs to the key that
/// made it; to others it does not exist.
package ai.epitome.serve.store;
