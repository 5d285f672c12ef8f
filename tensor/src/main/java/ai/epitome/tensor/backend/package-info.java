/// What computes: [ai.epitome.tensor.backend.Backend], and the matrix products that it chooses among: Java's, oneDNN's,
/// and machine code of our own.
package ai.epitome.tensor.backend;
