/// Lossless compression by prediction: range coder, predictors, archive.
package ai.epitome.compress;
