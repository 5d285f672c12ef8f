package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.block.AmxBlockProduct;
import ai.epitome.tensor.block.BlockProduct;
import ai.epitome.tensor.block.VectorBlockProduct;

/// What computes: the kernel of matrix products, the threads, and the dtype in which activations are held and
/// multiplied.
///
/// @param product matrix products
/// @param blocks products with quantised weights
/// @param workers kernel threads
/// @param compute [DType#F32], or [DType#BF16] for mixed precision: master weights, residual stream, norms, softmax
/// and all sums stay f32, operands of products are bf16
/// @param note why this is not the fastest choice, for the start-up line; empty when there is nothing to say
public record Backend(MatrixProduct product, BlockProduct blocks, Workers workers, DType compute, String note) {
    /// Products below this many multiply-adds are done before another thread has woken up.
    private static final long WORTH_SPLITTING = 32_768;

    private static final String NO_ONEDNN = "oneDNN does not run here: ";

    public Backend(MatrixProduct product, Workers workers, DType compute) {
        this(product, new VectorBlockProduct(), workers, compute, "");
    }

    /// Which implementation multiplies matrices.
    public enum Kernels {
        /// oneDNN where it loads, else Java; on a processor with AMX, machine code of our own for what it does faster.
        AUTO,
        /// The same, or an error where oneDNN does not load.
        ONEDNN,
        /// The Vector API.
        JAVA,
        /// The Vector API in one order of sums: the same bits whatever is computed beside a row. In f32 unless bf16 is
        /// asked for.
        EXACT
    }

    /// What activations and operands of products are held in.
    public enum Precision {
        /// bf16 where the kernels multiply it faster than f32, else f32.
        AUTO,
        BF16,
        F32
    }

    /// The fastest kernels and precision that this machine has, on `threads` threads.
    public static Backend best(int threads) {
        return of(Kernels.AUTO, Precision.AUTO, threads);
    }

    /// Kernels and precision as asked for.
    ///
    /// @throws IllegalStateException if oneDNN is asked for and does not run here; the message says why
    public static Backend of(Kernels kernels, Precision precision, int threads) {
        MatrixProduct product = new VectorProduct();
        BlockProduct blocks = new VectorBlockProduct();
        String note = "";
        boolean bf16IsFast = false;
        if (kernels == Kernels.EXACT) {
            product = new InvariantProduct();
            if (AmxProduct.load() instanceof Loading.Loaded<AmxProduct>(AmxProduct amx)) {
                blocks = amx.blocks(); // the same bits as Java's
            }
        } else if (kernels != Kernels.JAVA) {
            Loading<AmxProduct> own = AmxProduct.load();
            if (kernels == Kernels.ONEDNN || own instanceof Loading.Unavailable) {
                switch (OneDnnProduct.load()) {
                    case Loading.Loaded(OneDnnProduct loaded) -> {
                        product = loaded;
                        bf16IsFast = loaded.multipliesBf16();
                    }
                    case Loading.Unavailable(String reason)
                    when kernels == Kernels.ONEDNN ->
                        throw new IllegalStateException("oneDNN was asked for but does not run here: " + reason
                                + "; choose auto or java kernels");
                    case Loading.Unavailable(String reason) -> note = NO_ONEDNN + reason;
                }
            }
            switch (own) {
                case Loading.Loaded(AmxProduct amx) -> {
                    product = new ChosenProduct(OneDnnProduct::orJava, amx);
                    blocks = amx.blocks();
                    bf16IsFast = true;
                }
                case Loading.Unavailable(String reason) ->
                    note += (note.isEmpty() ? "" : "; ") + "no AMX code: " + reason;
            }
        }
        DType compute = switch (precision) {
            case AUTO -> bf16IsFast ? DType.BF16 : DType.F32;
            case BF16 -> DType.BF16;
            case F32 -> DType.F32;
        };
        return new Backend(product, blocks, new Workers(threads), compute, note);
    }

    /// Whether machine code of our own computes: products of quantised weights, and what gives the same bits as Java.
    public boolean runsMachineCode() {
        return blocks instanceof AmxBlockProduct;
    }

    /// One line for people: kernels, precision, threads, and why there are no faster ones.
    public String describe() {
        String precision = compute == DType.BF16 ? "bf16 products with fp32 sums" : "fp32 products";
        String threads = workers.count() == 1 ? "1 thread" : workers.count() + " threads";
        String why =
                product instanceof ChosenProduct && OneDnnProduct.load() instanceof Loading.Unavailable(String reason)
                        ? NO_ONEDNN + reason
                        : note;
        return "kernels: %s, %s, %s%s"
                .formatted(product.describe(), precision, threads, why.isEmpty() ? "" : " (" + why + ")");
    }

    /// `c = a · b (+ c)`, split over the threads along the longer side of `c`: each thread packs the operand of the
    /// other side whole, which is then the smaller one.
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        int threads = workers.count();
        long work = (long) c.rows() * c.columns() * a.columns();
        if (threads == 1 || work < WORTH_SPLITTING) {
            product.multiply(a, b, c, accumulate);
        } else if (c.rows() >= c.columns()) {
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
