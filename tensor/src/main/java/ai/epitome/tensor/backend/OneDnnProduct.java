package ai.epitome.tensor.backend;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.LinkedHashMap;
import java.util.Map;

/// Matrix products by oneDNN's `matmul` primitive, called through the Foreign Function & Memory API.
///
/// oneDNN generates machine code for one shape at a time, so a primitive is made when a shape is first seen and
/// kept. Every thread has its own primitives' argument lists, stream and scratchpad; calls share nothing that
/// changes. oneDNN's own threads stay out of it: on every calling thread OpenMP is told to use one thread.
public final class OneDnnProduct implements MatrixProduct {
    /// Shapes that a thread keeps ready. A training step has a few dozen; text generation has one more for each
    /// length.
    private static final int SHAPES = 512;

    private static final int F32 = 3;
    private static final int BF16 = 2;
    private static final int ARGUMENT_SOURCE = 1;
    private static final int ARGUMENT_WEIGHTS = 33;
    private static final int ARGUMENT_TARGET = 17;
    private static final int ARGUMENT_SCRATCHPAD = 80;
    private static final int SCRATCHPAD_USER = 1;
    private static final int QUERY_SCRATCHPAD = 136;
    private static final int STREAM_DEFAULT = 1;

    private final OneDnn dnn;
    private final ThreadLocal<Caller> callers;

    private OneDnnProduct(OneDnn dnn) {
        this.dnn = dnn;
        this.callers = ThreadLocal.withInitial(() -> new Caller(dnn));
    }

    /// Opens oneDNN on the first call; later calls return the same.
    public static Loading<OneDnnProduct> load() {
        return Holder.LOADING;
    }

    /// oneDNN, opened on the first call, or Java's product where it does not run.
    static MatrixProduct orJava() {
        return Holder.OR_JAVA;
    }

    private static final class Holder {
        static final Loading<OneDnnProduct> LOADING = Loading.of(() -> new OneDnnProduct(OneDnn.open()));
        static final MatrixProduct OR_JAVA =
                LOADING instanceof Loading.Loaded(OneDnnProduct loaded) ? loaded : new VectorProduct();
    }

    /// Whether the CPU multiplies bf16 by itself (AVX-512 BF16 or AMX), so that bf16 is faster than f32.
    public boolean multipliesBf16() {
        return (dnn.isa & 0xe7) == 0xe7;
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        Operands.check(a, b, c);
        if (Operands.settleEmpty(a, c, accumulate)) {
            return;
        }
        callers.get().multiply(a, b, c, accumulate);
    }

    @Override
    public String describe() {
        return "oneDNN " + dnn.version + " " + isaName();
    }

    private String isaName() {
        return switch (dnn.isa) {
            case 0x1 -> "sse41";
            case 0x3 -> "avx";
            case 0x7 -> "avx2";
            case 0xf -> "avx2_vnni";
            case 0x1f -> "avx2_vnni_2";
            case 0x27 -> "avx512_core";
            case 0x67 -> "avx512_core_vnni";
            case 0xe7 -> "avx512_core_bf16";
            case 0x1ef -> "avx512_core_fp16";
            case 0xfef -> "avx512_core_amx";
            case 0x1fef -> "avx512_core_amx_fp16";
            case 0x201ff -> "avx10_2";
            case 0x22fff -> "avx10_2_amx_2";
            default -> "isa 0x" + Integer.toHexString(dnn.isa);
        };
    }

    /// All that a primitive is made for.
    private record Shape(
            int m,
            int n,
            int k,
            int strideA,
            int strideB,
            int strideC,
            boolean transposedA,
            boolean transposedB,
            DType inputs,
            DType output,
            boolean accumulate) {}

    /// A primitive with its argument list; the addresses are set before every execution.
    private record Call(
            MemorySegment primitive,
            MemorySegment arguments,
            MemorySegment a,
            MemorySegment b,
            MemorySegment c,
            MemorySegment scratchpad,
            long scratchpadBytes) {}

    /// What one thread needs to call oneDNN. Native objects go when the collector finds them unreachable.
    private static final class Caller {
        private final OneDnn dnn;
        private final MemorySegment stream;
        private MemorySegment scratchpad = MemorySegment.NULL;

        private final Map<Shape, Call> calls = new LinkedHashMap<>(64, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Shape, Call> eldest) {
                return size() > SHAPES;
            }
        };

        Caller(OneDnn dnn) {
            this.dnn = dnn;
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment out = arena.allocate(ADDRESS);
                OneDnn.check((int) dnn.stream.invokeExact(out, dnn.engine, STREAM_DEFAULT), "stream");
                stream = out.get(ADDRESS, 0);
            } catch (Throwable e) {
                throw rethrow(e);
            }
        }

        void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
            Shape shape = new Shape(
                    c.rows(),
                    c.columns(),
                    a.columns(),
                    stride(a),
                    stride(b),
                    stride(c),
                    a.transposed(),
                    b.transposed(),
                    a.dtype(),
                    c.dtype(),
                    accumulate);
            try {
                dnn.setThreads.invokeExact(1);
                Call call = calls.get(shape);
                if (call == null) {
                    call = prepare(shape);
                    calls.put(shape, call);
                }
                if (call.scratchpadBytes > scratchpad.byteSize()) {
                    scratchpad = Arena.ofAuto().allocate(call.scratchpadBytes, Tensor.ALIGNMENT);
                }
                OneDnn.check((int) dnn.memorySetHandle.invokeExact(call.a, address(a)), "A");
                OneDnn.check((int) dnn.memorySetHandle.invokeExact(call.b, address(b)), "B");
                OneDnn.check((int) dnn.memorySetHandle.invokeExact(call.c, address(c)), "C");
                OneDnn.check(
                        (int) dnn.memorySetHandle.invokeExact(call.scratchpad, scratchpad.address()), "scratchpad");
                OneDnn.check((int) dnn.execute.invokeExact(call.primitive, stream, 4, call.arguments), "execute");
            } catch (Throwable e) {
                throw rethrow(e);
            } finally {
                // oneDNN got bare addresses: nothing else keeps collected memory alive while it runs.
                Reference.reachabilityFence(a.data());
                Reference.reachabilityFence(b.data());
                Reference.reachabilityFence(c.data());
                Reference.reachabilityFence(scratchpad);
            }
        }

        /// A single memory row has no stride; naming its length instead keeps oneDNN and the cache simple.
        private static int stride(Matrix matrix) {
            int memoryRows = matrix.transposed() ? matrix.columns() : matrix.rows();
            return memoryRows == 1 ? matrix.rows() * matrix.columns() : matrix.stride();
        }

        private static long address(Matrix matrix) {
            return matrix.data().address() + matrix.offset() * matrix.dtype().bytes();
        }

        private Call prepare(Shape shape) throws Throwable {
            Arena life = Arena.ofAuto();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment out = arena.allocate(ADDRESS);
                MemorySegment a =
                        descriptor(arena, out, shape.m, shape.k, shape.inputs, shape.strideA, shape.transposedA);
                MemorySegment b =
                        descriptor(arena, out, shape.k, shape.n, shape.inputs, shape.strideB, shape.transposedB);
                MemorySegment c = descriptor(arena, out, shape.m, shape.n, shape.output, shape.strideC, false);
                MemorySegment attributes = attributes(arena, out, shape.accumulate);
                OneDnn.check(
                        (int) dnn.matmul.invokeExact(out, dnn.engine, a, b, MemorySegment.NULL, c, attributes),
                        shape.toString());
                MemorySegment matmul = owned(out, arena, dnn.matmulDestroy);
                OneDnn.check((int) dnn.primitive.invokeExact(out, matmul), shape.toString());
                MemorySegment primitive = owned(out, life, dnn.primitiveDestroy);
                MemorySegment pad = (MemorySegment) dnn.matmulQuery.invokeExact(matmul, QUERY_SCRATCHPAD, 0);
                long padBytes = (long) dnn.descriptorSize.invokeExact(pad);
                MemorySegment[] memories = {
                    memory(out, life, a), memory(out, life, b), memory(out, life, c), memory(out, life, pad)
                };
                int[] roles = {ARGUMENT_SOURCE, ARGUMENT_WEIGHTS, ARGUMENT_TARGET, ARGUMENT_SCRATCHPAD};
                MemorySegment arguments = life.allocate(16L * roles.length, 8);
                for (int i = 0; i < roles.length; i++) {
                    arguments.set(JAVA_INT, 16L * i, roles[i]);
                    arguments.set(ADDRESS, 16L * i + 8, memories[i]);
                }
                return new Call(primitive, arguments, memories[0], memories[1], memories[2], memories[3], padBytes);
            }
        }

        private MemorySegment memory(MemorySegment out, Arena life, MemorySegment descriptor) throws Throwable {
            OneDnn.check((int) dnn.memory.invokeExact(out, descriptor, dnn.engine, 0L), "memory");
            return owned(out, life, dnn.memoryDestroy);
        }

        private MemorySegment descriptor(
                Arena arena, MemorySegment out, int rows, int columns, DType dtype, int stride, boolean transposed)
                throws Throwable {
            MemorySegment dimensions = arena.allocateFrom(JAVA_LONG, rows, columns);
            MemorySegment strides =
                    transposed ? arena.allocateFrom(JAVA_LONG, 1, stride) : arena.allocateFrom(JAVA_LONG, stride, 1);
            int type = dtype == DType.BF16 ? BF16 : F32;
            OneDnn.check((int) dnn.descriptor.invokeExact(out, 2, dimensions, type, strides), "memory descriptor");
            return owned(out, arena, dnn.descriptorDestroy);
        }

        private MemorySegment attributes(Arena arena, MemorySegment out, boolean accumulate) throws Throwable {
            OneDnn.check((int) dnn.attributes.invokeExact(out), "attributes");
            MemorySegment attributes = owned(out, arena, dnn.attributesDestroy);
            OneDnn.check((int) dnn.attributesScratchpad.invokeExact(attributes, SCRATCHPAD_USER), "scratchpad mode");
            if (accumulate) {
                OneDnn.check((int) dnn.postOperations.invokeExact(out), "post-operations");
                MemorySegment operations = owned(out, arena, dnn.postOperationsDestroy);
                OneDnn.check((int) dnn.postOperationsSum.invokeExact(operations, 1f, 0, 0), "sum");
                OneDnn.check((int) dnn.attributesPostOperations.invokeExact(attributes, operations), "post-operations");
            }
            return attributes;
        }

        /// The object that `out` points to, destroyed when `life` ends.
        private static MemorySegment owned(MemorySegment out, Arena life, java.lang.invoke.MethodHandle destroy) {
            return out.get(ADDRESS, 0).reinterpret(life, object -> {
                try {
                    int ignored = (int) destroy.invokeExact(object);
                } catch (Throwable e) {
                    throw rethrow(e);
                }
            });
        }

        private static RuntimeException rethrow(Throwable e) {
            if (e instanceof Error error) {
                throw error;
            }
            return e instanceof RuntimeException known ? known : new IllegalStateException(e);
        }
    }
}
