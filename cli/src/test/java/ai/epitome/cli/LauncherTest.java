package ai.epitome.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The launcher in a folder of its own, with a JDK and a Maven that only say how they were called.
@EnabledOnOs(OS.LINUX)
class LauncherTest {
    private static final List<String> TOOLS = List.of(
            "bash", "cat", "dirname", "find", "flock", "grep", "mkdir", "readlink", "rm", "sed", "tail", "touch");

    @TempDir
    Path folder;

    private Path home;
    private Path bin;
    private Path jdk;

    private record Result(int code, String out, String err) {}

    @BeforeEach
    void installs() throws IOException {
        home = Files.createDirectories(folder.resolve("home of it"));
        Files.copy(Path.of("..", "epitome"), home.resolve("epitome"));
        Files.writeString(home.resolve("pom.xml"), "");
        Files.createDirectories(home.resolve("cli/src/main"));
        Files.writeString(home.resolve("cli/pom.xml"), "");
        bin = Files.createDirectories(folder.resolve("bin"));
        for (String tool : TOOLS) {
            Path real = List.of(Path.of("/usr/bin", tool), Path.of("/bin", tool)).stream()
                    .filter(Files::exists)
                    .findFirst()
                    .orElseThrow();
            Files.createSymbolicLink(bin.resolve(tool), real);
        }
        jdk = jdk("jdk", "25.0.1");
    }

    private Path jdk(String name, String version) throws IOException {
        Path place = folder.resolve(name);
        Files.createDirectories(place.resolve("bin"));
        Files.writeString(place.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        script(place.resolve("bin/javac"), "");
        script(place.resolve("bin/java"), "printf '%s\\n' \"$@\"");
        return place;
    }

    private void maven(String body) throws IOException {
        script(bin.resolve("mvn"), "echo called >> '" + folder.resolve("calls") + "'\n" + body);
    }

    private static void script(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/bash\n" + body + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private Result launch(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(bin.resolve("bash").toString(), home.resolve("epitome").toString()));
        command.addAll(List.of(arguments));
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", bin.toString());
        builder.environment().put("HOME", folder.toString());
        builder.environment().put("JAVA_HOME", jdk.toString());
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out, Files.readString(err));
    }

    @Test
    void withoutMavenItSaysWhatToInstall() throws IOException, InterruptedException {
        for (String command : List.of("up", "test")) {
            Result result = launch(command);
            assertThat(result.code).isEqualTo(1);
            assertThat(result.err).contains("Maven is needed").contains("apt-get install maven");
            assertThat(result.out).isEmpty();
        }
    }

    @Test
    void aFailedBuildShowsItsErrorsAndIsTriedAgain() throws IOException, InterruptedException {
        maven("echo '[INFO] noise'; echo '[ERROR] Text.java:[3,1] no semicolon'; exit 1");
        for (int run = 1; run <= 2; run++) {
            Result result = launch("info", "x");
            assertThat(result.code).isEqualTo(1);
            assertThat(result.err)
                    .contains("building")
                    .contains("[ERROR] Text.java:[3,1] no semicolon")
                    .contains("cli/target/build.log")
                    .doesNotContain("noise");
            assertThat(Files.readAllLines(folder.resolve("calls"))).hasSize(run);
        }
    }

    @Test
    void itBuildsWhatChangedAndPassesArgumentsOn() throws IOException, InterruptedException {
        maven("mkdir -p cli/target/lib");
        Result first = launch("score", "a model", "--json");
        assertThat(first.code).as(first.err).isZero();
        assertThat(first.err).contains("building").contains("done");
        assertThat(first.out)
                .contains("-Depitome.home=" + home + "\n")
                .endsWith("ai.epitome.cli.Main\nscore\na model\n--json\n")
                .doesNotContain("epitome.terminal");
        assertThat(home.resolve("cli/target/build.log")).content().contains("ai.epitome.cli.Rehearsal");
        assertThat(first.out).doesNotContain("-XX:AOTCache");
        Path cache = Files.writeString(home.resolve("cli/target/epitome.aot"), "");
        Files.createDirectories(home.resolve("cli/target/lib/of-this-build"));
        Result second = launch("info");
        assertThat(second.err).isEmpty();
        assertThat(second.out).contains("-XX:AOTCache=" + cache + "\n");
        assertThat(home.resolve("cli/target/lib/of-this-build")).exists();
        Path source = Files.writeString(home.resolve("cli/src/main/New.java"), "");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(launch("info").err).contains("building");
        assertThat(home.resolve("cli/target/lib/of-this-build")).doesNotExist();
        assertThat(cache).doesNotExist(); // it was of the earlier build
        assertThat(Files.readAllLines(folder.resolve("calls"))).hasSize(2);
    }

    @Test
    void anOldJdkIsNotTaken() throws IOException, InterruptedException {
        maven("true");
        jdk = jdk("old", "17.0.2");
        script(jdk.resolve("bin/java"), "echo old");
        // Another one may be installed on this machine; without it the message names what was found.
        Result result = launch("--version");
        assertThat(result.out).doesNotContain("old\n");
        if (result.err.contains("no JDK 25")) {
            assertThat(result.err).contains(jdk + ": JDK 17").contains("adoptium.net");
        }
    }
}
