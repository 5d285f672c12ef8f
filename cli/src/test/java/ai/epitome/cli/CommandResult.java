package ai.epitome.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.terminal.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/// What a command left that ran in this process: exit code, standard output and standard error.
public record CommandResult(int code, byte[] bytes, String err) {
    public static CommandResult run(String... arguments) throws IOException {
        return run(new byte[0], arguments);
    }

    public static CommandResult run(byte[] input, String... arguments) throws IOException {
        InputStream standardIn = System.in;
        PrintStream standardOut = System.out;
        PrintStream standardErr = System.err;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        StringWriter errors = new StringWriter();
        try (PrintStream outStream = new PrintStream(out, true, StandardCharsets.UTF_8);
                PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8)) {
            System.setIn(new ByteArrayInputStream(input));
            System.setOut(outStream);
            System.setErr(errStream);
            CommandLine line = Main.commandLine(arguments)
                    .setOut(new PrintWriter(outStream, true))
                    .setErr(new PrintWriter(errors, true));
            int code = line.execute(arguments);
            return new CommandResult(code, out.toByteArray(), err.toString(StandardCharsets.UTF_8) + errors);
        } finally {
            System.setIn(standardIn);
            System.setOut(standardOut);
            System.setErr(standardErr);
        }
    }

    /// Runs a command that has to succeed.
    public static CommandResult done(String... arguments) throws IOException {
        CommandResult result = run(arguments);
        assertThat(result.code()).as(result.err()).isZero();
        return result;
    }

    /// Checks that it failed and said why in a line or some, with these parts, and printed nothing else.
    public void assertFails(String... parts) {
        assertThat(code).as(err).isEqualTo(1);
        assertThat(err)
                .contains("epitome: ")
                .contains(parts)
                .doesNotContain("\tat ")
                .doesNotContain("Exception");
        assertThat(bytes).isEmpty();
    }

    public String out() {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    public JsonNode json() {
        return Json.MAPPER.readTree(bytes);
    }
}
