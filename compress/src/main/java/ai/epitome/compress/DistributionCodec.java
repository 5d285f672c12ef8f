package ai.epitome.compress;

/// Codes bytes with what a [ByteDistribution] expects.
///
/// @param distribution one that has seen nothing, for this codec alone
public record DistributionCodec(ByteDistribution distribution) implements BlockCodec {
    @Override
    public byte[] encode(byte[] plain) {
        RangeEncoder encoder = new RangeEncoder();
        int[] frequencies = new int[256];
        for (byte value : plain) {
            int symbol = value & 0xff;
            distribution.frequencies(frequencies);
            int below = 0;
            for (int i = 0; i < symbol; i++) {
                below += frequencies[i];
            }
            encoder.symbol(below, frequencies[symbol], ByteDistribution.TOTAL);
            distribution.append(symbol);
        }
        return encoder.finish();
    }

    @Override
    public byte[] decode(byte[] coded, int length) {
        RangeDecoder decoder = new RangeDecoder(coded);
        byte[] plain = new byte[length];
        int[] frequencies = new int[256];
        for (int i = 0; i < length; i++) {
            distribution.frequencies(frequencies);
            long target = decoder.target(ByteDistribution.TOTAL);
            int symbol = 0;
            int below = 0;
            while (target - below >= frequencies[symbol]) {
                below += frequencies[symbol++];
            }
            decoder.symbol(below, frequencies[symbol], ByteDistribution.TOTAL);
            distribution.append(symbol);
            plain[i] = (byte) symbol;
        }
        return plain;
    }

    @Override
    public void learn(byte[] plain) {
        for (byte value : plain) {
            distribution.append(value & 0xff);
        }
    }
}
