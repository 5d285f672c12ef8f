package ai.epitome.train.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// The git commit of a folder, so that a report says which code made it.
public final class GitCommit {
    private GitCommit() {}

    /// The commit's hash, and whether files differ from it; empty where the folder is in no git repository or there is
    /// no git.
    public static Optional<String> of(Path folder) {
        return git(folder, "rev-parse", "HEAD").filter(hash -> !hash.isEmpty()).map(hash -> {
            boolean changed = git(folder, "status", "--porcelain", "--untracked-files=no")
                    .filter(files -> !files.isEmpty())
                    .isPresent();
            return changed ? hash + " (with changes that are not committed)" : hash;
        });
    }

    private static Optional<String> git(Path folder, String... arguments) {
        List<String> command = new ArrayList<>(List.of("git", "-C", folder.toString()));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            boolean ended = process.waitFor(10, TimeUnit.SECONDS);
            return ended && process.exitValue() == 0 ? Optional.of(output) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
