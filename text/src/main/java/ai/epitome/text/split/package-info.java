/// Cuts text into the pieces within which bytes are merged: by hand-written splitters for the usual patterns,
/// by regular expressions for all others.
package ai.epitome.text.split;
