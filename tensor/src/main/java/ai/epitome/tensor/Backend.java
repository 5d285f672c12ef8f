package ai.epitome.tensor;

/// What computes: the kernel of matrix products, the threads, and the dtype in which activations are held and
/// multiplied.
///
/// @param product matrix products
/// @param workers kernel threads
/// @param compute [DType#F32], or [DType#BF16] for mixed precision: master weights, residual stream, norms, softmax and
/// all sums
/// stay f32, operands of products are bf16
public record Backend(MatrixProduct product, Workers workers, DType compute) {

    /// `c = a · b (+ c)`, split over the threads by rows of `c`, or by columns where it has few rows.
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        int threads = workers.count();
        long work = (long) c.rows() * c.columns() * a.columns();
        if (threads == 1 || work < 32_768) {
            product.multiply(a, b, c, accumulate);
        } else if (c.rows() >= 32 * threads || c.rows() >= c.columns()) {
            workers.run(threads, (task, _) -> {
                int from = split(c.rows(), task, threads);
                int to = split(c.rows(), task + 1, threads);
                if (to > from) {
                    product.multiply(a.rows(from, to), b, c.rows(from, to), accumulate);
                }
            });
        } else {
            workers.run(threads, (task, _) -> {
                int from = split(c.columns(), task, threads);
                int to = split(c.columns(), task + 1, threads);
                if (to > from) {
                    product.multiply(a, b.columns(from, to), c.columns(from, to), accumulate);
                }
            });
        }
    }

    /// Start of part `part` of `parts` of `length`, in multiples of 16 so that no two threads share a cache line or a
    /// register.
    private static int split(int length, int part, int parts) {
        if (part == parts) {
            return length;
        }
        return (int) ((long) length * part / parts / 16 * 16);
    }
}
