/// Pretraining from raw text: recipe, data, model and run put together.
package ai.epitome.train.pretrain;
