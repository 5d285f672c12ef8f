package ai.epitome.cli.account;

import ai.epitome.serve.moderation.ModerationPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A policy by its word, or in a file.
public final class PolicyConverter implements ITypeConverter<ModerationPolicy> {
    @Override
    public ModerationPolicy convert(String word) {
        boolean file = word.endsWith(".json") || word.contains("/");
        try {
            return ModerationPolicy.parse(file ? Files.readString(Path.of(word)) : word);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException((file ? word + ": " : "") + e.getMessage());
        } catch (IOException e) {
            throw new TypeConversionException("the file " + word + " cannot be read");
        }
    }
}
