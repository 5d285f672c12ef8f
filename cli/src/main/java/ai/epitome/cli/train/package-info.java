/// Training on texts and conversations: `pretrain`, `sft`; and what every training command shares.
package ai.epitome.cli.train;
