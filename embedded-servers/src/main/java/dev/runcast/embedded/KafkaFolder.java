package dev.runcast.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Reader;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;

/** Formats an empty folder for the broker, and refuses one that is not ours or that a newer Kafka has written. */
final class KafkaFolder {

    static final int NODE_ID = 1;

    /**
     * The same for every folder this class formats, so that the folder of a real cluster, given by mistake, is refused
     * before anything is written to it.
     */
    static final String CLUSTER_ID = "runcast-embedded-kafka";

    private static final String META_VERSION = "1";

    private static final String META_PROPERTIES = "meta.properties";

    /** The newest Kafka that has run on the folder. An older one cannot be trusted to read what it wrote. */
    private static final String KAFKA_VERSION = "kafka.version";

    private KafkaFolder() {}

    static void prepare(Path folder, String controllerListener) throws Exception {
        if (Files.exists(folder.resolve(META_PROPERTIES))) {
            check(folder);
        } else {
            format(folder, controllerListener);
        }
        Files.writeString(folder.resolve(KAFKA_VERSION), AppInfoParser.getVersion());
    }

    private static void format(Path folder, String controllerListener) throws Exception {
        new Formatter()
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                .setClusterId(CLUSTER_ID)
                .setNodeId(NODE_ID)
                .setControllerListenerName(controllerListener)
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setDirectories(List.of(folder.toString()))
                .setMetadataLogDirectory(folder.toString())
                .setIgnoreFormatted(true)
                .run();
    }

    private static void check(Path folder) throws IOException {
        Properties meta = new Properties();
        Path file = folder.resolve(META_PROPERTIES);
        try (Reader reader = Files.newBufferedReader(file)) {
            meta.load(reader);
        }
        expect(file, "version", meta.getProperty("version"), META_VERSION);
        expect(file, "cluster.id", meta.getProperty("cluster.id"), CLUSTER_ID);
        expect(file, "node.id", meta.getProperty("node.id"), Integer.toString(NODE_ID));

        Path versionFile = folder.resolve(KAFKA_VERSION);
        if (Files.exists(versionFile)) {
            String written = Files.readString(versionFile).trim();
            String own = AppInfoParser.getVersion();
            if (compare(written, own, versionFile) > 0) {
                throw new EmbeddedServerException("%s: %s (expected: %s or older, the version of this Kafka)"
                        .formatted(versionFile, written, own));
            }
        }
    }

    private static void expect(Path file, String key, @Nullable String value, String expected) {
        if (!expected.equals(value)) {
            throw new EmbeddedServerException("%s: %s=%s (expected: %s; give a new folder, or the one this server made)"
                    .formatted(file, key, value, expected));
        }
    }

    private static int compare(String left, String right, Path file) {
        try {
            return ModuleDescriptor.Version.parse(left).compareTo(ModuleDescriptor.Version.parse(right));
        } catch (IllegalArgumentException e) {
            throw new EmbeddedServerException("%s: %s (expected: a version like %s)".formatted(file, left, right), e);
        }
    }
}
