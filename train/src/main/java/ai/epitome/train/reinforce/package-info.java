/// The arithmetic of policy gradients: pure functions of numbers.
package ai.epitome.train.reinforce;
