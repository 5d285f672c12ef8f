package ai.epitome.tensor.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What Linux has to do before code of our own runs: executable memory, and leave to use the tile registers.
public final class MachineCode {
    private static final Linker LINKER = Linker.nativeLinker();

    private static final MethodHandle CALL =
            LINKER.downcallHandle(FunctionDescriptor.ofVoid(ADDRESS), Linker.Option.critical(true));

    // From Linux's mman.h and prctl.h for x86-64.
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_HUGEPAGE = 14;
    private static final long PAGE = 4096;
    private static final long SYS_ARCH_PRCTL = 158;
    private static final long ARCH_REQ_XCOMP_PERM = 0x1023;
    private static final long XFEATURE_TILE_DATA = 18;

    private MachineCode() {}

    /// Calls a routine `void f(long*)` without leaving the Java state, which costs some ten nanoseconds: for routines
    /// that return within microseconds. The pointer may be to an array on the heap.
    public static void call(MemorySegment routine, MemorySegment parameters) {
        try {
            CALL.invokeExact(routine, parameters);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// Throws unless the processor has all of `features`, named as in `/proc/cpuinfo`.
    public static void requireFeatures(List<String> features) throws IOException {
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!system.equals("Linux amd64")) {
            throw new IOException("it takes Linux on x86-64, this is " + system);
        }
        Set<String> found = new HashSet<>();
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            lines.filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .ifPresent(line -> found.addAll(List.of(
                            line.substring(line.indexOf(':') + 1).strip().split(" "))));
        }
        List<String> missing =
                features.stream().filter(name -> !found.contains(name)).toList();
        if (!missing.isEmpty()) {
            throw new IOException("the processor has no " + String.join(", ", missing));
        }
    }

    /// Asks the kernel for the tile registers, which a process may not touch before (Linux, Documentation/arch/x86,
    /// "Using XSTATE features in user space applications"). Asking again is harmless.
    public static void requestTiles() throws IOException {
        MethodHandle call = LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow("syscall"),
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                Linker.Option.firstVariadicArg(1));
        long status;
        try {
            status = (long) call.invokeExact(SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_TILE_DATA);
        } catch (Throwable e) {
            throw new IOException("cannot call syscall: " + e.getMessage(), e);
        }
        if (status != 0) {
            throw new IOException("the kernel gives no leave to use tile registers (arch_prctl)");
        }
    }

    /// Places code in memory that is executable and, from then on, not writable. It stays for the life of the process.
    public static MemorySegment place(byte[] code) throws IOException {
        MethodHandle map = function("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        MethodHandle protect = function("mprotect", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        try {
            long size = code.length;
            var memory = (MemorySegment) map.invokeExact(
                    MemorySegment.NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
            if (memory.address() == -1) {
                throw new IOException("no memory for code (mmap)");
            }
            MemorySegment whole = memory.reinterpret(size);
            whole.copyFrom(MemorySegment.ofArray(code));
            if ((int) protect.invokeExact(memory, size, PROT_READ | PROT_EXEC) != 0) {
                throw new IOException("the system allows no code made at run time (mprotect)");
            }
            return whole;
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException("cannot place code: " + e.getMessage(), e);
        }
    }

    /// Memory of huge pages, as far as the system has them: addresses of ordinary pages are looked up every 4 KB, which
    /// takes a fifth of the time in which weights are read. Its address; it is the caller's until [#unmap].
    public static long mapHuge(long size) throws IOException {
        if (!System.getProperty("os.name").equals("Linux")) {
            throw new IOException("huge pages are asked for in Linux's way");
        }
        MethodHandle map = function("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        MethodHandle advise = function("madvise", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
        try {
            var memory = (MemorySegment) map.invokeExact(
                    MemorySegment.NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
            if (memory.address() == -1) {
                throw new IOException("no memory of %,d bytes (mmap)".formatted(size));
            }
            int _ = (int) advise.invokeExact(memory.address(), size, MADV_HUGEPAGE); // ordinary pages do as well
            return memory.address();
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException("cannot map memory: " + e.getMessage(), e);
        }
    }

    public static void unmap(long address, long size) {
        try {
            int _ = (int) function("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG).invokeExact(address, size);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// Takes the pages of a mapped file out of this process's memory; when they are read again, they come back.
    public static void forget(MemorySegment mapped) {
        if (!mapped.isMapped()) {
            throw new IllegalArgumentException("only what a file holds comes back");
        }
        long from = mapped.address() & -PAGE;
        long size = mapped.address() + mapped.byteSize() - from;
        try {
            int _ = (int) function("madvise", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT)
                    .invokeExact(from, size, MADV_DONTNEED);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
    }
}
