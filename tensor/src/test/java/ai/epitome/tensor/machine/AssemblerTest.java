package ai.epitome.tensor.machine;

import static ai.epitome.tensor.machine.Assembler.at;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Encodings against those of GNU as 2.40 and its disassembler.
class AssemblerTest {
    private static final int FAR = 0x12345678;

    static Stream<Arguments> instructions() {
        return Stream.of(
                given("mov r9, [rdi+F]", "4c 8b 8f 78 56 34 12", a -> a.load(9, at(7, FAR))),
                given("mov [r12+F], r13", "4d 89 ac 24 78 56 34 12", a -> a.store(at(12, FAR), 13)),
                given("lea rax, [r11+r15*4+F]", "4b 8d 84 bb 78 56 34 12", a -> a.lea(0, at(11, 15, 4, FAR))),
                given("mov rdx, r9", "4c 89 ca", a -> a.move(2, 9)),
                given("add rbx, r14", "4c 01 f3", a -> a.add(3, 14)),
                given("add r8, [rdi+F]", "4c 03 87 78 56 34 12", a -> a.add(8, at(7, FAR))),
                given("add rbp, 1024", "48 81 c5 00 04 00 00", a -> a.addConstant(5, 1024)),
                given("mov r12, 64", "49 c7 c4 40 00 00 00", a -> a.set(12, 64)),
                given("dec r10", "49 ff ca", a -> a.decrement(10)),
                given("rex.W prefetcht1 [rax+r14+F]", "4a 0f 18 94 30 78 56 34 12", a -> a.prefetch(at(0, 14, 1, FAR))),
                given("ldtilecfg [rdi+F]", "c4 e2 78 49 87 78 56 34 12", a -> a.tileConfigure(at(7, FAR))),
                given("tilerelease", "c4 e2 78 49 c0", Assembler::tileRelease),
                given("tilezero tmm5", "c4 e2 7b 49 e8", a -> a.tileZero(5)),
                given(
                        "tileloadd tmm6, [r9+r12+F]",
                        "c4 82 7b 4b b4 21 78 56 34 12",
                        a -> a.tileLoad(6, at(9, 12, 1, FAR))),
                given(
                        "tileloaddt1 tmm6, [r9+r12+F]",
                        "c4 82 79 4b b4 21 78 56 34 12",
                        a -> a.tileLoadOnce(6, at(9, 12, 1, FAR))),
                given(
                        "tilestored [rax+r15+F], tmm3",
                        "c4 a2 7a 4b 9c 38 78 56 34 12",
                        a -> a.tileStore(at(0, 15, 1, FAR), 3)),
                given("tdpbf16ps tmm3, tmm5, tmm7", "c4 e2 42 5c dd", a -> a.tileMultiply(3, 5, 7)),
                given("kmovd k1, [rdi+F]", "c4 e1 f9 90 8f 78 56 34 12", a -> a.mask(1, at(7, FAR))),
                given("kmovw k2, [rdi+F]", "c4 e1 78 90 97 78 56 34 12", a -> a.mask16(2, at(7, FAR))),
                given(
                        "vmovdqu16 zmm17{k1}{z}, [r11+rax+F]",
                        "62 c1 ff c9 6f 8c 03 78 56 34 12",
                        a -> a.loadWords(17, 1, at(11, 0, 1, FAR))),
                given(
                        "vmovdqu16 [rcx+F]{k1}, zmm30",
                        "62 61 ff 49 7f b1 78 56 34 12",
                        a -> a.storeWords(at(1, FAR), 1, 30)),
                given(
                        "vpmovzxwd zmm25, [rax+r9+F]",
                        "62 22 7d 48 33 8c 08 78 56 34 12",
                        a -> a.loadWordsAsInts(25, 0, at(0, 9, 1, FAR))),
                given("vpslld zmm31, zmm18, 16", "62 b1 05 40 72 f2 10", a -> a.shiftLeft(31, 18, 16)),
                given("vpord zmm3, zmm15, zmm19", "62 b1 05 48 eb db", a -> a.or(3, 15, 19)),
                given("vaddps zmm0, zmm9, zmm2", "62 f1 34 48 58 c2", a -> a.addFloats(0, 9, 2)),
                given("vcvtne2ps2bf16 zmm10, zmm21, zmm12", "62 52 57 40 72 d4", a -> a.roundToBf16(10, 21, 12)),
                given("vpunpckldq zmm16, zmm0, zmm31", "62 81 7d 48 62 c7", a -> a.unpackLowInts(16, 0, 31)),
                given("vpunpckhdq zmm31, zmm14, zmm15", "62 41 0d 48 6a ff", a -> a.unpackHighInts(31, 14, 15)),
                given("vpunpcklqdq zmm8, zmm24, zmm9", "62 51 bd 40 6c c1", a -> a.unpackLowLongs(8, 24, 9)),
                given("vpunpckhqdq zmm9, zmm24, zmm26", "62 11 bd 40 6d ca", a -> a.unpackHighLongs(9, 24, 26)),
                given(
                        "vshufi32x4 zmm15, zmm23, zmm31, 0xdd",
                        "62 13 45 40 43 ff dd",
                        a -> a.shuffleQuarters(15, 23, 31, 0xdd)),
                given("and r11, F", "49 81 e3 78 56 34 12", a -> a.andConstant(11, FAR)),
                given("tdpbssd tmm3, tmm5, tmm7", "c4 e2 43 5e dd", a -> a.tileMultiplyBytes(3, 5, 7)),
                given("kxnorw k1, k1, k1", "c5 f4 46 c9", Assembler::fillMask1),
                given(
                        "vpgatherdd zmm20{k1}, [rbx+zmm31+0]",
                        "62 a2 7d 41 90 a4 3b 00 00 00 00",
                        a -> a.gatherInts(20, 3, 31)),
                given(
                        "vpgatherdd zmm9{k1}, [r12+zmm14+0]",
                        "62 12 7d 49 90 8c 34 00 00 00 00",
                        a -> a.gatherInts(9, 12, 14)),
                given("vpmovdw ymm20, zmm12", "62 32 7e 48 33 e4", a -> a.intsToWords(20, 12)),
                given(
                        "vcvtph2ps zmm20, [r9+F]",
                        "62 c2 7d 48 13 a1 78 56 34 12",
                        a -> a.halvesToFloats(20, at(9, FAR))),
                given("vcvtdq2ps zmm19, [r9+F]", "62 c1 7c 48 5b 99 78 56 34 12", a -> a.intsToFloats(19, at(9, FAR))),
                given("vmulps zmm17, zmm9, zmm27", "62 81 34 48 59 cb", a -> a.multiplyFloats(17, 9, 27)),
                given(
                        "vmulps zmm21, zmm5, dword bcst [rax+F]",
                        "62 e1 54 58 59 a8 78 56 34 12",
                        a -> a.multiplyByOne(21, 5, at(0, FAR))),
                given(
                        "vfmadd231ps zmm3, zmm21, [rbx+F]",
                        "62 f2 55 40 b8 9b 78 56 34 12",
                        a -> a.fusedMultiplyAdd(3, 21, at(3, FAR))),
                given(
                        "vfmadd231ps zmm15, zmm18, dword bcst [r9+F]",
                        "62 52 6d 50 b8 b9 78 56 34 12",
                        a -> a.fusedMultiplyAddOne(15, 18, at(9, FAR))),
                given(
                        "vbroadcasti32x4 zmm18{k3}, [r8+r12+F]",
                        "62 82 7d 4b 5a 94 20 78 56 34 12",
                        a -> a.broadcastQuarter(18, 3, at(8, 12, 1, FAR))),
                given("vpternlogd zmm19, zmm29, zmm28, 0x6a", "62 83 15 40 25 dc 6a", a -> a.andXor(19, 29, 28)),
                given(
                        "vmovdqu32 [r8+F]{k2}, zmm15",
                        "62 51 7e 4a 7f b8 78 56 34 12",
                        a -> a.storeInts(at(8, FAR), 2, 15)),
                given("vcvtneps2bf16 ymm13, zmm22", "62 32 7e 48 72 ee", a -> a.roundToBf16(13, 22)),
                given("vpandd zmm17, zmm9, zmm30", "62 81 35 48 db ce", a -> a.and(17, 9, 30)),
                given("vpxord zmm5, zmm21, zmm14", "62 d1 55 40 ef ee", a -> a.xor(5, 21, 14)),
                given("vpsrld zmm22, zmm13, 4", "62 d1 4d 40 72 d5 04", a -> a.shiftRight(22, 13, 4)),
                given("vpaddd zmm1, zmm25, zmm6", "62 f1 35 40 fe ce", a -> a.addInts(1, 25, 6)),
                given(
                        "vpdpbusd zmm4, zmm16, dword bcst [r9+F]",
                        "62 d2 7d 50 50 a1 78 56 34 12",
                        a -> a.dotBytes(4, 16, at(9, FAR))),
                given(
                        "vpbroadcastd zmm23, [rax+F]",
                        "62 e2 7d 48 58 b8 78 56 34 12",
                        a -> a.broadcastInt(23, at(0, FAR))),
                given("vcvtdq2ps zmm17, zmm10", "62 c1 7c 48 5b ca", a -> a.intsToFloats(17, 10)),
                given("vfmadd231ps zmm12, zmm1, zmm22", "62 32 75 48 b8 e6", a -> a.fusedMultiplyAdd(12, 1, 22)),
                given("dec r10; jz ahead; dec r10", "49 ff ca 0f 84 03 00 00 00 49 ff ca", a -> {
                    a.decrement(10);
                    int jump = a.jumpAheadIfZero();
                    a.decrement(10);
                    a.land(jump);
                }),
                given("push r12; pop rbp; ret; vzeroupper", "41 54 40 5d c3 c5 f8 77", a -> {
                    a.push(12);
                    a.pop(5);
                    a.ret();
                    a.zeroUpper();
                }),
                given("dec r10; jnz back", "49 ff ca 0f 85 f7 ff ff ff", a -> {
                    int back = a.here();
                    a.decrement(10);
                    a.jumpIfNotZero(back);
                }));
    }

    private static Arguments given(String text, String bytes, Consumer<Assembler> instruction) {
        return Arguments.of(text, bytes, instruction);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("instructions")
    void encodingsAreThoseOfTheManual(String text, String bytes, Consumer<Assembler> instruction) {
        Assembler assembler = new Assembler();
        instruction.accept(assembler);
        assertThat(HexFormat.ofDelimiter(" ").formatHex(assembler.bytes()))
                .as(text)
                .isEqualTo(bytes);
    }
}
