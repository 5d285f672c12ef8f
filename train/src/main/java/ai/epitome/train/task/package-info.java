/// Requests whose answers can be checked: to learn from, to measure with, and to reward.
package ai.epitome.train.task;
