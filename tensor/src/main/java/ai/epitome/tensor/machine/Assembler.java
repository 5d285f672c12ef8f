package ai.epitome.tensor.machine;

import java.util.Arrays;

/// Writes the few x86-64 instructions that the code of matrix products, quantised weights and attention is made of.
///
/// Encodings are those of the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: a
/// prefix (REX, VEX or EVEX), an opcode, and a ModRM byte that names a register and a second register or
/// memory. Registers are plain numbers; which file they belong to is the instruction's business. Memory
/// always has a 32-bit displacement, which leaves no special cases but one: base 4 and base 12 need a
/// scale-index-base byte.
public final class Assembler {
    public static final int RAX = 0;
    public static final int RCX = 1;
    public static final int RDX = 2;
    public static final int RBX = 3;
    public static final int RBP = 5;
    public static final int RSI = 6;
    public static final int RDI = 7;
    public static final int R8 = 8;
    public static final int R9 = 9;
    public static final int R10 = 10;
    public static final int R11 = 11;
    public static final int R12 = 12;
    public static final int R13 = 13;
    public static final int R14 = 14;
    public static final int R15 = 15;

    /// Mandatory prefixes of vector instructions, as VEX and EVEX encode them.
    private static final int PREFIX_NONE = 0;

    private static final int PREFIX_66 = 1;
    private static final int PREFIX_F3 = 2;
    private static final int PREFIX_F2 = 3;

    /// Opcode maps, likewise.
    private static final int MAP_0F = 1;

    private static final int MAP_0F38 = 2;
    private static final int MAP_0F3A = 3;

    private static final int NO_INDEX = 4;

    private byte[] code = new byte[4096];
    private int size;

    /// Memory at `base + index * scale + displacement`.
    public record Memory(int base, int index, int scale, int displacement) {}

    public static Memory at(int base, int displacement) {
        return new Memory(base, NO_INDEX, 1, displacement);
    }

    public static Memory at(int base, int index, int scale, int displacement) {
        return new Memory(base, index, scale, displacement);
    }

    /// The code so far.
    public byte[] bytes() {
        return Arrays.copyOf(code, size);
    }

    /// Where the next instruction goes: the target of a jump back.
    public int here() {
        return size;
    }

    /// Fills up to a cache line, so that a routine begins on one.
    public void align() {
        while (size % 64 != 0) {
            emit(0xCC);
        }
    }

    public void load(int to, Memory from) {
        rex(to, from);
        emit(0x8B);
        modRm(to, from);
    }

    public void store(Memory to, int from) {
        rex(from, to);
        emit(0x89);
        modRm(from, to);
    }

    /// Loads 16 bits, the others zero.
    public void loadWord(int to, Memory from) {
        rex(to, from);
        emit(0x0F);
        emit(0xB7);
        modRm(to, from);
    }

    /// Stores the lowest 16 bits.
    public void storeWord(Memory to, int from) {
        emit(0x66);
        emit(0x40 | from >> 3 << 2 | to.index >> 3 << 1 | to.base >> 3);
        emit(0x89);
        modRm(from, to);
    }

    public void lea(int to, Memory from) {
        rex(to, from);
        emit(0x8D);
        modRm(to, from);
    }

    public void move(int to, int from) {
        integer(0x89, from, to);
    }

    public void add(int to, int from) {
        integer(0x01, from, to);
    }

    public void add(int to, Memory from) {
        rex(to, from);
        emit(0x03);
        modRm(to, from);
    }

    public void addConstant(int to, int constant) {
        integer(0x81, 0, to);
        emit32(constant);
    }

    public void set(int to, int constant) {
        integer(0xC7, 0, to);
        emit32(constant);
    }

    /// Subtracts one, for [#jumpIfNotZero].
    public void decrement(int register) {
        integer(0xFF, 1, register);
    }

    public void push(int register) {
        emit(0x40 | register >> 3);
        emit(0x50 | register & 7);
    }

    public void pop(int register) {
        emit(0x40 | register >> 3);
        emit(0x58 | register & 7);
    }

    public void andConstant(int to, int constant) {
        integer(0x81, 4, to);
        emit32(constant);
    }

    /// A jump ahead, if the last result was zero, to where [#land] will say; the argument for it.
    public int jumpAheadIfZero() {
        emit(0x0F);
        emit(0x84);
        emit32(0);
        return size;
    }

    /// The target of a jump ahead is the next instruction.
    public void land(int jump) {
        for (int i = 0; i < 4; i++) {
            code[jump - 4 + i] = (byte) (size - jump >> 8 * i);
        }
    }

    public void jumpIfNotZero(int target) {
        emit(0x0F);
        emit(0x85);
        emit32(target - (size + 4));
    }

    /// Fetches a line into the second-level cache; an address that is not there does no harm.
    public void prefetch(Memory from) {
        rex(2, from);
        emit(0x0F);
        emit(0x18);
        modRm(2, from);
    }

    public void ret() {
        emit(0xC3);
    }

    public void tileConfigure(Memory from) {
        vex(PREFIX_NONE, MAP_0F38, 0, 0x49, 0, 0, from);
    }

    public void tileRelease() {
        vex(PREFIX_NONE, MAP_0F38, 0x49, 0, 0, 0);
    }

    public void tileZero(int tile) {
        vex(PREFIX_F2, MAP_0F38, 0x49, tile, 0, 0);
    }

    /// `from.index` holds the bytes between rows.
    public void tileLoad(int tile, Memory from) {
        vex(PREFIX_F2, MAP_0F38, 0, 0x4B, tile, 0, from);
    }

    /// The same for memory that is read once: it displaces less of what the first-level cache holds.
    public void tileLoadOnce(int tile, Memory from) {
        vex(PREFIX_66, MAP_0F38, 0, 0x4B, tile, 0, from);
    }

    public void tileStore(Memory to, int tile) {
        vex(PREFIX_F3, MAP_0F38, 0, 0x4B, tile, 0, to);
    }

    /// `c += a · b`, bf16 pairs into f32.
    public void tileMultiply(int c, int a, int b) {
        vex(PREFIX_F3, MAP_0F38, 0x5C, c, b, a);
    }

    /// `c += a · b`, four signed bytes at a time into ints.
    public void tileMultiplyBytes(int c, int a, int b) {
        vex(PREFIX_F2, MAP_0F38, 0x5E, c, b, a);
    }

    /// Sets mask 1 to ones for 16 lanes.
    public void fillMask1() {
        emit(0xC5);
        emit(0xF4);
        emit(0x46);
        emit(0xC9);
    }

    /// Loads a 32-bit mask.
    public void mask(int to, Memory from) {
        vex(PREFIX_66, MAP_0F, 1, 0x90, to, 0, from);
    }

    /// Loads a 16-bit mask.
    public void mask16(int to, Memory from) {
        vex(PREFIX_NONE, MAP_0F, 0, 0x90, to, 0, from);
    }

    /// Loads 32 words; those that the mask leaves out are zero. Mask 0 is none.
    public void loadWords(int to, int mask, Memory from) {
        evex(PREFIX_F2, MAP_0F, 1, 0x6F, to, 0, mask, mask != 0, from);
    }

    public void storeWords(Memory to, int mask, int from) {
        evex(PREFIX_F2, MAP_0F, 1, 0x7F, from, 0, mask, false, to);
    }

    /// Loads 16 words into the lower halves of 16 lanes.
    public void loadWordsAsInts(int to, int mask, Memory from) {
        evex(PREFIX_66, MAP_0F38, 0, 0x33, to, 0, mask, mask != 0, from);
    }

    public void shiftLeft(int to, int from, int bits) {
        evex(PREFIX_66, MAP_0F, 0, 0x72, 6, to, from);
        emit(bits);
    }

    public void or(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 0, 0xEB, to, a, b);
    }

    public void and(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 0, 0xDB, to, a, b);
    }

    public void xor(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 0, 0xEF, to, a, b);
    }

    public void shiftRight(int to, int from, int bits) {
        evex(PREFIX_66, MAP_0F, 0, 0x72, 2, to, from);
        emit(bits);
    }

    public void addInts(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 0, 0xFE, to, a, b);
    }

    /// Adds to each int of `to` the products of four unsigned bytes and the four signed ones of memory.
    public void dotBytes(int to, int unsigned, Memory signed) {
        evex(PREFIX_66, MAP_0F38, 0, 0x50, to, unsigned, 0, false, true, signed);
    }

    /// One int of memory in all lanes.
    public void broadcastInt(int to, Memory from) {
        evex(PREFIX_66, MAP_0F38, 0, 0x58, to, 0, 0, false, from);
    }

    public void maxInts(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F38, 0, 0x3D, to, a, b);
    }

    /// Rounds to the nearest whole number, ties to even.
    public void floatsToInts(int to, int from) {
        evex(PREFIX_66, MAP_0F, 0, 0x5B, to, 0, from);
    }

    /// Loads 16 signed bytes into 16 lanes.
    public void loadBytesAsInts(int to, Memory from) {
        evex(PREFIX_66, MAP_0F38, 0, 0x21, to, 0, 0, false, from);
    }

    /// Writes the lowest byte of each lane.
    public void storeBytes(Memory to, int from) {
        evex(PREFIX_F3, MAP_0F38, 0, 0x31, from, 0, 0, false, to);
    }

    public void addFloats(int to, int a, int b) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x58, to, a, b);
    }

    public void subtractFloats(int to, int a, int b) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x5C, to, a, b);
    }

    public void divideFloats(int to, int a, int b) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x5E, to, a, b);
    }

    /// The larger of each two; `b` where one is not a number.
    public void maxFloats(int to, int a, int b) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x5F, to, a, b);
    }

    /// `to = to a + b`, rounded once.
    public void multiplyAdd(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F38, 0, 0xA8, to, a, b);
    }

    /// Sets the bits of a mask where `a < b`.
    public void lessThan(int mask, int a, int b) {
        evex(PREFIX_NONE, MAP_0F, 0, 0xC2, mask, a, b);
        emit(0x11);
    }

    /// Lanes of `set` where the mask is set, of `unset` elsewhere.
    public void blend(int to, int mask, int unset, int set) {
        int high = (to >> 3 & 1) << 7 | set >> 4 << 6 | (set >> 3 & 1) << 5 | (to >> 4) << 4;
        evexPrefix(PREFIX_66, MAP_0F38, 0, high, unset, mask, false, false);
        emit(0x65);
        modRm(to, set);
    }

    /// Two ints of each quarter, then two, chosen by two bits each.
    public void shuffleInts(int to, int from, int choice) {
        evex(PREFIX_66, MAP_0F, 0, 0x70, to, 0, from);
        emit(choice);
    }

    /// Writes the lower halves of 16 ints.
    public void storeIntsAsWords(Memory to, int from) {
        evex(PREFIX_F3, MAP_0F38, 0, 0x33, from, 0, 0, false, to);
    }

    /// Loads 16 ints at byte distances `indices` from `base`, where mask 1 is set, which this clears.
    public void gatherInts(int to, int base, int indices) {
        int high = (to >> 3 & 1) << 7 | (indices >> 3 & 1) << 6 | base >> 3 << 5 | (to >> 4) << 4;
        evexPrefix(PREFIX_66, MAP_0F38, 0, high, indices & 16, 1, false, false);
        emit(0x90);
        emit(0x84 | (to & 7) << 3);
        emit((indices & 7) << 3 | base & 7);
        emit32(0);
    }

    /// The lower halves of 16 ints as 16 words, the others zero.
    public void intsToWords(int to, int from) {
        evex(PREFIX_F3, MAP_0F38, 0, 0x33, from, 0, to);
    }

    /// Widens 16 signed bytes.
    public void bytesToInts(int to, Memory from) {
        evex(PREFIX_66, MAP_0F38, 0, 0x21, to, 0, 0, false, from);
    }

    /// Widens 16 f16.
    public void halvesToFloats(int to, Memory from) {
        evex(PREFIX_66, MAP_0F38, 0, 0x13, to, 0, 0, false, from);
    }

    public void intsToFloats(int to, Memory from) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x5B, to, 0, 0, false, from);
    }

    public void intsToFloats(int to, int from) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x5B, to, 0, from);
    }

    public void multiplyFloats(int to, int a, int b) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x59, to, a, b);
    }

    /// By one float of memory.
    public void multiplyByOne(int to, int a, Memory b) {
        evex(PREFIX_NONE, MAP_0F, 0, 0x59, to, a, 0, false, true, b);
    }

    /// `to += a b`, rounded once.
    public void fusedMultiplyAdd(int to, int a, Memory b) {
        evex(PREFIX_66, MAP_0F38, 0, 0xB8, to, a, 0, false, b);
    }

    public void fusedMultiplyAdd(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F38, 0, 0xB8, to, a, b);
    }

    /// The same with one float of memory for all lanes.
    public void fusedMultiplyAddOne(int to, int a, Memory b) {
        evex(PREFIX_66, MAP_0F38, 0, 0xB8, to, a, 0, false, true, b);
    }

    /// 16 bytes of memory in all four quarters, or in those whose lanes the mask has.
    public void broadcastQuarter(int to, int mask, Memory from) {
        evex(PREFIX_66, MAP_0F38, 0, 0x5A, to, 0, mask, false, from);
    }

    /// `to = to & a ^ b`.
    public void andXor(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F3A, 0, 0x25, to, a, b);
        emit(0x6A);
    }

    /// Stores those of 16 ints or floats that the mask has.
    public void storeInts(Memory to, int mask, int from) {
        evex(PREFIX_F3, MAP_0F, 0, 0x7F, from, 0, mask, false, to);
    }

    /// Rounds 16 floats to bf16.
    public void roundToBf16(int to, int from) {
        evex(PREFIX_F3, MAP_0F38, 0, 0x72, to, 0, from);
    }

    /// Rounds 32 floats, `lower` and `upper`, to bf16.
    public void roundToBf16(int to, int upper, int lower) {
        evex(PREFIX_F2, MAP_0F38, 0, 0x72, to, upper, lower);
    }

    public void unpackLowInts(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 0, 0x62, to, a, b);
    }

    public void unpackHighInts(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 0, 0x6A, to, a, b);
    }

    public void unpackLowLongs(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 1, 0x6C, to, a, b);
    }

    public void unpackHighLongs(int to, int a, int b) {
        evex(PREFIX_66, MAP_0F, 1, 0x6D, to, a, b);
    }

    /// Two quarters of `a` and two of `b`, chosen by two bits each.
    public void shuffleQuarters(int to, int a, int b, int choice) {
        evex(PREFIX_66, MAP_0F3A, 0, 0x43, to, a, b);
        emit(choice);
    }

    /// Leaves the vector registers as code without AVX-512 likes them.
    public void zeroUpper() {
        emit(0xC5);
        emit(0xF8);
        emit(0x77);
    }

    private void integer(int opcode, int register, int second) {
        emit(0x48 | register >> 3 << 2 | second >> 3);
        emit(opcode);
        modRm(register, second);
    }

    private void rex(int register, Memory memory) {
        emit(0x48 | register >> 3 << 2 | memory.index >> 3 << 1 | memory.base >> 3);
    }

    private void vex(int prefix, int map, int wide, int opcode, int register, int second, Memory memory) {
        emit(0xC4);
        emit(~(register >> 3 << 7 | memory.index >> 3 << 6 | memory.base >> 3 << 5) & 0xE0 | map);
        emit(wide << 7 | (~second & 15) << 3 | prefix);
        emit(opcode);
        modRm(register, memory);
    }

    private void vex(int prefix, int map, int opcode, int register, int second, int third) {
        emit(0xC4);
        emit(0xE0 | map);
        emit((~second & 15) << 3 | prefix);
        emit(opcode);
        modRm(register, third);
    }

    private void evex(
            int prefix,
            int map,
            int wide,
            int opcode,
            int register,
            int second,
            int mask,
            boolean zeroing,
            Memory memory) {
        evex(prefix, map, wide, opcode, register, second, mask, zeroing, false, memory);
    }

    private void evex(
            int prefix,
            int map,
            int wide,
            int opcode,
            int register,
            int second,
            int mask,
            boolean zeroing,
            boolean one,
            Memory memory) {
        int high = (register >> 3 & 1) << 7 | memory.index >> 3 << 6 | memory.base >> 3 << 5 | (register >> 4) << 4;
        evexPrefix(prefix, map, wide, high, second, mask, zeroing, one);
        emit(opcode);
        modRm(register, memory);
    }

    private void evex(int prefix, int map, int wide, int opcode, int register, int second, int third) {
        int high = (register >> 3 & 1) << 7 | third >> 4 << 6 | (third >> 3 & 1) << 5 | (register >> 4) << 4;
        evexPrefix(prefix, map, wide, high, second, 0, false, false);
        emit(opcode);
        modRm(register, third);
    }

    /// 512 bits wide; register numbers are stored inverted. `one`: a single element of memory stands for
    /// all lanes.
    private void evexPrefix(
            int prefix, int map, int wide, int high, int second, int mask, boolean zeroing, boolean one) {
        emit(0x62);
        emit(~high & 0xF0 | map);
        emit(wide << 7 | (~second & 15) << 3 | 4 | prefix);
        emit((zeroing ? 0x80 : 0) | 0x40 | (one ? 0x10 : 0) | (~second >> 4 & 1) << 3 | mask);
    }

    private void modRm(int register, int second) {
        emit(0xC0 | (register & 7) << 3 | second & 7);
    }

    private void modRm(int register, Memory memory) {
        boolean indexed = memory.index != NO_INDEX || (memory.base & 7) == 4;
        emit(0x80 | (register & 7) << 3 | (indexed ? 4 : memory.base & 7));
        if (indexed) {
            emit(Integer.numberOfTrailingZeros(memory.scale) << 6 | (memory.index & 7) << 3 | memory.base & 7);
        }
        emit32(memory.displacement);
    }

    private void emit32(int value) {
        for (int shift = 0; shift < 32; shift += 8) {
            emit(value >> shift);
        }
    }

    private void emit(int value) {
        if (size == code.length) {
            code = Arrays.copyOf(code, 2 * size);
        }
        code[size++] = (byte) value;
    }
}
