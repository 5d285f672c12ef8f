/// What people, or labels, think of a text, learned as a number.
package ai.epitome.train.reward;
