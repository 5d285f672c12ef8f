package ai.epitome.cli.terminal;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;

/// Standard output for bytes. What is written is out at once, and a reader that went away is an error: `System.out`
/// keeps such things to itself.
public final class StandardOutput extends OutputStream {
    private final PrintStream out = System.out;

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
        if (out.checkError()) {
            throw new IOException("cannot write to standard output");
        }
    }
}
