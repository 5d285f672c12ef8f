package ai.epitome.compress.archive;

/// A block as it lies in the archive.
record Block(BlockHeader header, byte[] coded) {
    /// @param coded its code, or null to store it; one that is not shorter than the block is not used
    static Block of(int number, byte[] plain, byte[] coded) {
        int checksum = Checksum.of(plain);
        boolean stored = coded == null || coded.length >= plain.length;
        return stored
                ? new Block(new BlockHeader(true, number, plain.length, plain.length, checksum, checksum), plain)
                : new Block(
                        new BlockHeader(false, number, plain.length, coded.length, checksum, Checksum.of(coded)),
                        coded);
    }

    boolean isIntact() {
        return Checksum.of(coded) == header.codedChecksum();
    }
}
