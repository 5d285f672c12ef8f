package ai.epitome.compress.archive;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Method;

/// No compression: blocks are kept, checked and found again.
public record StoredCoding() implements Coding {
    @Override
    public Method method() {
        return Method.STORED;
    }

    @Override
    public byte[] probe() {
        return new byte[0];
    }

    @Override
    public BlockCodec newCodec() {
        return new BlockCodec() {
            @Override
            public byte[] encode(byte[] plain) {
                return plain; // not shorter: the archive stores it
            }

            @Override
            public byte[] decode(byte[] coded, int length) {
                throw new MalformedCodeException("coded in an archive whose blocks are stored");
            }

            @Override
            public void learn(byte[] plain) {}
        };
    }
}
