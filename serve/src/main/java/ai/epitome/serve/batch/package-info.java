/// Files and the batches that are made of them.
package ai.epitome.serve.batch;
