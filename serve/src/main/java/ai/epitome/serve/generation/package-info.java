/// How anything computed is answered, whatever the route: its model, its turn in the queue, whole or as a stream.
package ai.epitome.serve.generation;
