/// Machine code: the encodings of instructions, memory for what is made of them, and what Linux has to allow for it.
package ai.epitome.tensor.machine;
