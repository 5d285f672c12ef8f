/// Supervised fine-tuning: a model learns to answer from conversations.
package ai.epitome.train.sft;
