package dev.runcast.store;

class InMemoryExecutionStoreTest extends ExecutionStoreContract {
    private final ExecutionStore store = new InMemoryExecutionStore();

    @Override
    ExecutionStore store() {
        return store;
    }
}
