package ai.epitome.tensor.backend;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The part of oneDNN's C API that matrix products need, as method handles.
///
/// The jars `org.bytedeco:dnnl` and `org.bytedeco:opencl` carry the libraries; nothing else of them is used. oneDNN
/// refers to OpenCL and to GNU OpenMP, so those two are opened first, with their symbols visible to all. See the
/// oneDNN developer guide, "Matrix Multiplication" and "Primitive Attributes: Scratchpad".
final class OneDnn {
    private static final String FOLDER = "org/bytedeco/dnnl/linux-x86_64/";
    private static final int RTLD_NOW = 2;
    private static final int RTLD_GLOBAL = 0x100;

    private static final Linker LINKER = Linker.nativeLinker();

    final MethodHandle setThreads;
    final MethodHandle descriptor;
    final MethodHandle descriptorSize;
    final MethodHandle descriptorDestroy;
    final MethodHandle memory;
    final MethodHandle memorySetHandle;
    final MethodHandle memoryDestroy;
    final MethodHandle attributes;
    final MethodHandle attributesScratchpad;
    final MethodHandle attributesPostOperations;
    final MethodHandle attributesDestroy;
    final MethodHandle postOperations;
    final MethodHandle postOperationsSum;
    final MethodHandle postOperationsDestroy;
    final MethodHandle matmul;
    final MethodHandle matmulQuery;
    final MethodHandle matmulDestroy;
    final MethodHandle primitive;
    final MethodHandle primitiveDestroy;
    final MethodHandle execute;
    final MethodHandle stream;
    final MethodHandle streamDestroy;

    final String version;
    final int isa;
    final MemorySegment engine;

    private final MethodHandle symbol;
    private final MemorySegment library;

    private OneDnn(MethodHandle symbol, MemorySegment library) throws Throwable {
        this.symbol = symbol;
        this.library = library;
        // Calls that return at once skip the thread state change; those that compute or lock do not.
        var leaf = Linker.Option.critical(false);
        setThreads = LINKER.downcallHandle(find("omp_set_num_threads"), FunctionDescriptor.ofVoid(JAVA_INT), leaf);
        descriptor = function("dnnl_memory_desc_create_with_strides", ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
        descriptorSize =
                LINKER.downcallHandle(find("dnnl_memory_desc_get_size"), FunctionDescriptor.of(JAVA_LONG, ADDRESS));
        descriptorDestroy = function("dnnl_memory_desc_destroy", ADDRESS);
        memory = function("dnnl_memory_create", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
        memorySetHandle = LINKER.downcallHandle(
                find("dnnl_memory_set_data_handle"), FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG), leaf);
        memoryDestroy = function("dnnl_memory_destroy", ADDRESS);
        attributes = function("dnnl_primitive_attr_create", ADDRESS);
        attributesScratchpad = function("dnnl_primitive_attr_set_scratchpad_mode", ADDRESS, JAVA_INT);
        attributesPostOperations = function("dnnl_primitive_attr_set_post_ops", ADDRESS, ADDRESS);
        attributesDestroy = function("dnnl_primitive_attr_destroy", ADDRESS);
        postOperations = function("dnnl_post_ops_create", ADDRESS);
        postOperationsSum = function("dnnl_post_ops_append_sum", ADDRESS, JAVA_FLOAT, JAVA_INT, JAVA_INT);
        postOperationsDestroy = function("dnnl_post_ops_destroy", ADDRESS);
        matmul = function(
                "dnnl_matmul_primitive_desc_create", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
        matmulQuery = LINKER.downcallHandle(
                find("dnnl_primitive_desc_query_md"), FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT, JAVA_INT));
        matmulDestroy = function("dnnl_primitive_desc_destroy", ADDRESS);
        primitive = function("dnnl_primitive_create", ADDRESS, ADDRESS);
        primitiveDestroy = function("dnnl_primitive_destroy", ADDRESS);
        execute = function("dnnl_primitive_execute", ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
        stream = function("dnnl_stream_create", ADDRESS, ADDRESS, JAVA_INT);
        streamDestroy = function("dnnl_stream_destroy", ADDRESS);

        var number = (MemorySegment) LINKER.downcallHandle(find("dnnl_version"), FunctionDescriptor.of(ADDRESS))
                .invokeExact();
        number = number.reinterpret(8);
        version = number.get(JAVA_INT, 0) + "." + number.get(JAVA_INT, 4);
        isa = (int) LINKER.downcallHandle(find("dnnl_get_effective_cpu_isa"), FunctionDescriptor.of(JAVA_INT))
                .invokeExact();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            check(
                    (int) function("dnnl_engine_create", ADDRESS, JAVA_INT, JAVA_LONG)
                            .invokeExact(out, 1, 0L),
                    "engine");
            engine = out.get(ADDRESS, 0);
        }
    }

    /// Unpacks and opens the libraries.
    ///
    /// @throws IOException if this machine cannot have them; the message says why in plain words
    static OneDnn open() throws IOException {
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!system.equals("Linux amd64")) {
            throw new IOException("the bundled library is for Linux on x86-64, this is " + system);
        }
        CarriedLibrary openCl = CarriedLibrary.find("org/bytedeco/opencl/linux-x86_64/libOpenCL.so.1");
        CarriedLibrary openMp = CarriedLibrary.find(FOLDER + "libgomp.so.1");
        CarriedLibrary oneDnn = CarriedLibrary.find(FOLDER + "libdnnl.so.3");
        return open(unpack(
                CarriedLibrary.cache().resolve("onednn-%08x".formatted(oneDnn.crc())),
                List.of(openCl, openMp, oneDnn)));
    }

    /// The libraries as files in `folder`, or in a temporary one where that cannot be written.
    private static List<Path> unpack(Path folder, List<CarriedLibrary> libraries) throws IOException {
        List<Path> files = new ArrayList<>();
        try {
            for (CarriedLibrary library : libraries) {
                files.add(library.unpack(folder));
            }
        } catch (IOException e) {
            files.clear();
            Path temporary = Files.createTempDirectory("epitome-native");
            temporary.toFile().deleteOnExit();
            for (CarriedLibrary library : libraries) {
                Path file = library.unpack(temporary);
                file.toFile().deleteOnExit();
                files.add(file);
            }
        }
        return files;
    }

    private static OneDnn open(List<Path> files) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            var lookup = LINKER.defaultLookup();
            MethodHandle dlopen = LINKER.downcallHandle(
                    lookup.findOrThrow("dlopen"), FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
            MethodHandle dlerror = LINKER.downcallHandle(lookup.findOrThrow("dlerror"), FunctionDescriptor.of(ADDRESS));
            MethodHandle dlsym = LINKER.downcallHandle(
                    lookup.findOrThrow("dlsym"), FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
            MemorySegment handle = MemorySegment.NULL;
            for (Path file : files) {
                handle =
                        (MemorySegment) dlopen.invokeExact(arena.allocateFrom(file.toString()), RTLD_NOW | RTLD_GLOBAL);
                if (handle.address() == 0) {
                    var message = (MemorySegment) dlerror.invokeExact();
                    throw new IOException("cannot open " + file + ": "
                            + message.reinterpret(4096).getString(0));
                }
            }
            return new OneDnn(dlsym, handle);
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /// Throws if a call did not return `dnnl_success`.
    static void check(int status, String what) {
        if (status != 0) {
            String name = switch (status) {
                case 1 -> "out of memory";
                case 2 -> "invalid arguments";
                case 3 -> "unimplemented";
                default -> "status " + status;
            };
            throw new IllegalStateException("oneDNN: " + name + " at " + what);
        }
    }

    private MethodHandle function(String name, MemoryLayout... arguments) throws Throwable {
        return LINKER.downcallHandle(find(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }

    private MemorySegment find(String name) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            var address = (MemorySegment) symbol.invokeExact(library, arena.allocateFrom(name));
            if (address.address() == 0) {
                throw new IOException("the oneDNN library has no function " + name);
            }
            return address;
        }
    }
}
