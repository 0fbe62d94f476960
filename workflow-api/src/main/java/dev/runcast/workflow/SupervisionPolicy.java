package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

/**
 * How attempts are supervised. It travels with the request, so that a running workflow keeps the policy it began with.
 *
 * @param startToCloseMillis the longest that one attempt may take
 * @param heartbeatMillis silence of a worker after which it counts as dead
 * @param attempts how often a dead worker or a thrown exception is answered with another attempt, the first included
 * @param retryMillis wait before the second attempt; doubles up to 30 s
 * @param stopMillis how long an attempt that was told to stop may take to do so
 * @param cancelMillis how long an agent that was told of a cancel may take to say CANCELLED itself
 * @param historyEvents the workflow goes on in a new run when its history is longer
 * @param logQueue the task queue on which the workflow's own updates are appended
 * @param pageUrl the workflow's page in Temporal's web interface; empty when not known
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record SupervisionPolicy(
        long startToCloseMillis,
        long heartbeatMillis,
        int attempts,
        long retryMillis,
        long stopMillis,
        long cancelMillis,
        long historyEvents,
        String logQueue,
        String pageUrl) {}
