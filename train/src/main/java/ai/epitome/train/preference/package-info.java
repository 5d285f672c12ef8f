/// Learning from which of two answers is better.
package ai.epitome.train.preference;
