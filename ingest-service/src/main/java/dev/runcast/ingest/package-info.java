/**
 * The runners' door: takes updates over gRPC, appends them to Kafka, and acknowledges them when they are
 * durable. Read {@link dev.runcast.ingest.IngestService} first, then
 * {@link dev.runcast.ingest.RunnerStream} and {@link dev.runcast.ingest.KafkaUpdateLog}.
 */
@NullMarked
package dev.runcast.ingest;

import org.jspecify.annotations.NullMarked;
