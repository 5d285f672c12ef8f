/// Reinforcement learning: a model answers, is rewarded, and learns from it.
package ai.epitome.train.policy;
