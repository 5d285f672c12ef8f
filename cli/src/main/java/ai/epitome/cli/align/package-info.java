/// Training on preferences and rewards: `reward`, `dpo`, `ppo`, `grpo`, `best-of-n`, `align`.
package ai.epitome.cli.align;
