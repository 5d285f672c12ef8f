/// Transformers, their weight files, and text generation.
package ai.epitome.model;
