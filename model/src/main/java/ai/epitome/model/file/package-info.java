/// What all model files stand on: mapping, writing whole or not at all, JSON with its place in messages, and the
/// exception of files that break their rules.
package ai.epitome.model.file;
