/// Checkpoints of llama2.c read: [ai.epitome.model.llama2c.Llama2cCheckpoint].
package ai.epitome.model.llama2c;
