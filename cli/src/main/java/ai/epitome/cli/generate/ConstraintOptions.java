package ai.epitome.cli.generate;

import ai.epitome.model.constraint.Constraint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options that say what a text must be; one of them at most.
final class ConstraintOptions {
    @Option(names = "--json-object", description = "Any JSON object.")
    private boolean jsonObject;

    @Option(
            names = "--json-schema",
            paramLabel = "FILE",
            description = "JSON that meets this schema (draft 2020-12; what is not supported is refused).")
    private Path jsonSchema;

    @Option(names = "--regex", paramLabel = "PATTERN", description = "What matches this regular expression as a whole.")
    private String regex;

    @Option(
            names = "--grammar",
            paramLabel = "FILE",
            description = "What this grammar allows, in llama.cpp's notation (GBNF).")
    private Path grammar;

    /// @throws ai.epitome.model.constraint.grammar.ConstraintException when it is malformed or not supported
    Optional<Constraint> constraint() throws IOException {
        if (jsonObject) {
            return Optional.of(Constraint.jsonObject());
        }
        if (jsonSchema != null) {
            return Optional.of(Constraint.jsonSchema(Files.readString(jsonSchema)));
        }
        if (regex != null) {
            return Optional.of(Constraint.regex(regex));
        }
        return grammar == null ? Optional.empty() : Optional.of(Constraint.gbnf(Files.readString(grammar)));
    }
}
