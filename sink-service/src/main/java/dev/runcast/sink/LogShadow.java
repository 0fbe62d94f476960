package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Folds a partition into a {@link Shadow}, and puts that to the others' when it is done. */
final class LogShadow implements PartitionFold.Listener {
    private final Shadow own = new Shadow();
    private final Map<ExecutionKey, Shadow.Of> all;
    private final Consumer<RejectedUpdate> rejections;

    /**
     * @param all takes what the partition held
     * @param rejections takes what the merge refused, on the partition's thread
     */
    LogShadow(ConcurrentHashMap<ExecutionKey, Shadow.Of> all, Consumer<RejectedUpdate> rejections) {
        this.all = all;
        this.rejections = rejections;
    }

    @Override
    public boolean wants(String tenant, String executionId) {
        return true;
    }

    @Override
    public void changed(ChangeBatch batch) {
        own.add(batch);
    }

    @Override
    public void rejected(RejectedUpdate rejected) {
        rejections.accept(rejected);
    }

    @Override
    public void end() {
        all.putAll(own.executions());
    }
}
