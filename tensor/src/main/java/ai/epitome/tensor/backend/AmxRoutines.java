package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.machine.MachineCode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// The routines of [AmxCode], placed in memory and ready to be called.
final class AmxRoutines {
    private static final List<String> FEATURES =
            List.of("amx_tile", "amx_bf16", "avx512f", "avx512bw", "avx512vl", "avx512_bf16");

    private final MemorySegment[] multiplications = new MemorySegment[16];
    private final MemorySegment[] packings = new MemorySegment[8];

    private AmxRoutines(MemorySegment code, int[] multiplications, int[] packings) {
        for (int i = 0; i < multiplications.length; i++) {
            this.multiplications[i] = code.asSlice(multiplications[i]);
        }
        for (int i = 0; i < packings.length; i++) {
            this.packings[i] = code.asSlice(packings[i]);
        }
    }

    /// Assembles and places the routines.
    ///
    /// @throws IOException if they cannot run here; the message says why
    static AmxRoutines open() throws IOException {
        MachineCode.requireFeatures(FEATURES);
        MachineCode.requestTiles();
        AmxCode code = new AmxCode();
        int[] multiplications = new int[16];
        for (int i = 0; i < multiplications.length; i++) {
            DType output = (i & 4) == 0 ? DType.F32 : DType.BF16;
            multiplications[i] = code.multiply(1 + (i & 1), 1 + (i >> 1 & 1), output, (i & 8) != 0);
        }
        int[] packings = new int[8];
        for (int i = 0; i < packings.length; i++) {
            packings[i] = code.pack((i & 1) != 0, (i & 2) != 0, (i & 4) != 0);
        }
        return new AmxRoutines(MachineCode.place(code.bytes()), multiplications, packings);
    }

    /// See [AmxCode#multiply].
    void multiply(int rowTiles, int columnTiles, DType output, boolean accumulate, MemorySegment block) {
        int which = rowTiles - 1 | columnTiles - 1 << 1 | (output == DType.BF16 ? 4 : 0) | (accumulate ? 8 : 0);
        MachineCode.call(multiplications[which], block);
    }

    /// See [AmxCode#pack].
    void pack(boolean pairs, boolean transpose, boolean masked, MemorySegment block) {
        MachineCode.call(packings[(pairs ? 1 : 0) | (transpose ? 2 : 0) | (masked ? 4 : 0)], block);
    }
}
