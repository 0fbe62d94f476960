package dev.runcast.local;

import dev.runcast.cli.LocalStackFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where a running stack listens, each as host:port but for the two URIs.
 *
 * @param page the live page and the HTTP door
 * @param api the people's gRPC door
 * @param ingest the runners' gRPC door
 * @param kafka bootstrap servers
 * @param mongo a connection string
 * @param redis a URI
 * @param temporal its frontend
 * @param data the folder in which it keeps everything
 */
record Addresses(
        String page, String api, String ingest, String kafka, String mongo, String redis, String temporal, Path data) {

    static final String TEMPORAL = "temporal";
    static final String DATA = "data";

    /** As the file holds them in which a running stack says where it listens. */
    Map<String, String> toProperties() {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("pid", Long.toString(ProcessHandle.current().pid()));
        properties.put(LocalStackFile.API_HTTP, page);
        properties.put(LocalStackFile.API_GRPC, api);
        properties.put(LocalStackFile.INGEST_GRPC, ingest);
        properties.put("kafka", kafka);
        properties.put("mongo", mongo);
        properties.put("redis", redis);
        properties.put(TEMPORAL, temporal);
        properties.put(DATA, data.toString());
        return properties;
    }
}
