package ai.epitome.model;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// Logits by the functions of llama.cpp itself, which the library of `de.kherud:llama` 4.2.0 (Linux, x86-64) exports.
///
/// Structures of parameters are passed by value, in memory, so that ones that are larger than the library's do no harm;
/// only fields are set whose places and defaults are those of that version.
final class LlamaCppLogits implements AutoCloseable {
    private static final StructLayout PARAMETERS = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(64, ValueLayout.JAVA_LONG).withName("any"));
    /// Tokens, pointers to them and to six arrays.
    private static final StructLayout BATCH = MemoryLayout.structLayout(
            ValueLayout.JAVA_LONG.withName("count"),
            MemoryLayout.sequenceLayout(6, ValueLayout.ADDRESS).withName("arrays"));
    private static final long BATCH_TOKENS = 512;

    private final Arena arena = Arena.ofConfined();
    private final Linker linker = Linker.nativeLinker();
    private final SymbolLookup library;
    private final int vocabulary;
    private final MemorySegment model;
    private final MemorySegment context;
    private final MethodHandle batch;
    private final MethodHandle decode;
    private final MethodHandle logits;

    /// @param precise whether keys and values are f32 in place of f16
    LlamaCppLogits(Path libraryFile, Path gguf, int vocabulary, boolean precise) {
        library = SymbolLookup.libraryLookup(libraryFile, arena);
        this.vocabulary = vocabulary;
        batch = handle("llama_batch_get_one", FunctionDescriptor.of(BATCH, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        decode = handle("llama_decode", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, BATCH));
        logits = handle("llama_get_logits", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        try {
            SegmentAllocator memory = arena;
            MemorySegment parameters =
                    (MemorySegment) handle("llama_model_default_params", FunctionDescriptor.of(PARAMETERS))
                            .invokeExact(memory);
            model = (MemorySegment) handle(
                            "llama_model_load_from_file",
                            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, PARAMETERS))
                    .invokeExact(arena.allocateFrom(gguf.toString()), parameters);
            MemorySegment settings =
                    (MemorySegment) handle("llama_context_default_params", FunctionDescriptor.of(PARAMETERS))
                            .invokeExact(memory);
            set(settings, 0, (int) BATCH_TOKENS, 512); // n_ctx
            set(settings, 16, 4, 1); // n_threads
            set(settings, 20, 4, 1); // n_threads_batch
            if (precise) {
                set(settings, 88, 1, 0); // type_k: f16, f32
                set(settings, 92, 1, 0); // type_v
            }
            context = (MemorySegment) handle(
                            "llama_init_from_model",
                            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, PARAMETERS))
                    .invokeExact(model, settings);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (model.address() == 0 || context.address() == 0) {
            throw new AssertionError("llama.cpp does not open " + gguf);
        }
    }

    private static void set(MemorySegment settings, long offset, int before, int value) {
        int found = settings.get(ValueLayout.JAVA_INT, offset);
        if (found != before) {
            throw new AssertionError("another version of llama.cpp: %d at %d".formatted(found, offset));
        }
        settings.set(ValueLayout.JAVA_INT, offset, value);
    }

    private MethodHandle handle(String name, FunctionDescriptor type) {
        return linker.downcallHandle(library.findOrThrow(name), type);
    }

    /// Reads further tokens; the logits after them.
    float[] advance(int... tokens) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment ids = call.allocateFrom(ValueLayout.JAVA_INT, tokens);
            SegmentAllocator memory = call;
            MemorySegment one = (MemorySegment) batch.invokeExact(memory, ids, tokens.length);
            int failed = (int) decode.invokeExact(context, one);
            if (failed != 0) {
                throw new AssertionError("llama_decode gives " + failed);
            }
            MemorySegment row = (MemorySegment) logits.invokeExact(context);
            return row.reinterpret(4L * vocabulary).toArray(ValueLayout.JAVA_FLOAT);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        FunctionDescriptor type = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS);
        try {
            handle("llama_free", type).invokeExact(context);
            handle("llama_model_free", type).invokeExact(model);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        arena.close();
    }
}
