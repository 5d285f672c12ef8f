/// What alignment changes, measured: answers sampled side by side, judged, and compared with the model that they began
/// with.
package ai.epitome.train.align;
