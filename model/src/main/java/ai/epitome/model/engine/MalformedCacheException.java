package ai.epitome.model.engine;

import java.io.IOException;
import java.nio.file.Path;

/// A file of keys and values is damaged, or belongs to another model or format. The message names the file, the offset
/// and the rule.
public final class MalformedCacheException extends IOException {
    MalformedCacheException(Path file, long offset, String rule) {
        super("%s: offset %d: %s".formatted(file, offset, rule));
    }
}
