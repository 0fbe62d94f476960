package dev.runcast.runner;

/**
 * What a reporter has done so far. All up to {@code postponed} only grow. The fields are read one after the other, not at one instant.
 *
 * @param reported updates that the agent reported
 * @param coalesced of these, appends that joined one before
 * @param omitted of these, updates left out and said so with an Omitted: beyond the memory bound, too large, refused
 * @param discarded of these, updates of fenced or refused attempts that were thrown away
 * @param ignored calls after the close, on a fenced attempt or on an invalid name
 * @param failedCalls calls that broke, for example for a null, and were swallowed
 * @param truncated values cut to the contract's limit
 * @param replacedSurrogates lone surrogates replaced by U+FFFD
 * @param sequenced updates that got a sequence
 * @param sent updates put on a stream, again ones included
 * @param resent of these, those sent again
 * @param batches batches put on a stream
 * @param acked updates that are durable
 * @param refused refusals received
 * @param substituted refused updates for which an Omitted (or a barer final status) was sent
 * @param rewinds times the sender went back to a sequence because the server asked for it
 * @param heartbeats heartbeats sent
 * @param connectAttempts attempts to open a stream
 * @param connections streams that opened
 * @param disconnects streams and attempts that ended without being asked to
 * @param callbackFailures exceptions that callbacks threw
 * @param spooled updates written to the spool, again ones included
 * @param recovered updates that an earlier process left in the spool
 * @param spoolDamage times something in the spool was found torn, unreadable or deleted
 * @param spoolFailures times the spool could not be opened or written
 * @param postponed times an attempt was told that its epoch lies too far ahead, and to come again later
 * @param connected whether a stream is open now
 * @param executions executions that are being reported now
 * @param waitingUpdates reported updates that are not acked now
 * @param waitingBytes what they take of the memory bound now
 * @param breaker whether streams are tried to be opened now
 * @param spool how the spool is now
 * @param spoolBytes what its files take now
 */
public record ReporterStats(
        long reported,
        long coalesced,
        long omitted,
        long discarded,
        long ignored,
        long failedCalls,
        long truncated,
        long replacedSurrogates,
        long sequenced,
        long sent,
        long resent,
        long batches,
        long acked,
        long refused,
        long substituted,
        long rewinds,
        long heartbeats,
        long connectAttempts,
        long connections,
        long disconnects,
        long callbackFailures,
        long spooled,
        long recovered,
        long spoolDamage,
        long spoolFailures,
        long postponed,
        boolean connected,
        int executions,
        long waitingUpdates,
        long waitingBytes,
        BreakerState breaker,
        SpoolState spool,
        long spoolBytes) {}
