package dev.runcast.worker.supervise;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/**
 * The workflow's way to the log. It has a task queue of its own: on the agents' queue a foreign worker, which knows only
 * the agents' activities, would take it and fail it.
 */
@ActivityInterface
public interface LogActivities {
    /** Appends the update and returns when it is durable. */
    @ActivityMethod(name = "AppendUpdate")
    void append(UpdateToAppend update);
}
