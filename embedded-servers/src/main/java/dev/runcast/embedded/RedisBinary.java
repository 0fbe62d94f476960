package dev.runcast.embedded;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import redis.embedded.core.ExecutableProvider;
import redis.embedded.model.OsArchitecture;

/** Finds a Redis to run: the one packed for this platform, or the one installed on the machine. */
final class RedisBinary {

    private static final String NAME = "redis-server";

    private RedisBinary() {}

    /** Unpacks the program for this platform into the folder; empty when there is none for it. */
    static Optional<Path> unpack(Path folder) throws IOException {
        Map<OsArchitecture, String> packed = ExecutableProvider.newProvidedVersionsMap();
        String resource = packed.get(OsArchitecture.detectOSandArchitecture());
        if (resource == null) {
            return Optional.empty();
        }
        try (InputStream in = ExecutableProvider.class.getResourceAsStream(resource)) {
            if (in == null) {
                return Optional.empty();
            }
            Path program = folder.resolve(NAME);
            Files.copy(in, program, StandardCopyOption.REPLACE_EXISTING);
            if (!program.toFile().setExecutable(true)) {
                throw new IOException(program + " cannot be made executable");
            }
            return Optional.of(program);
        }
    }

    /** The one on the {@code PATH}. */
    static Optional<Path> installed() {
        String path = System.getenv("PATH");
        return path == null
                ? Optional.empty()
                : Arrays.stream(path.split(File.pathSeparator))
                        .filter(folder -> !folder.isEmpty())
                        .map(folder -> Path.of(folder, NAME))
                        .filter(Files::isExecutable)
                        .findFirst();
    }
}
