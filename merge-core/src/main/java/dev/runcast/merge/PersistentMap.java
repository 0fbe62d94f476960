package dev.runcast.merge;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map of which each change makes a new one that shares all but one path with the old: a hash array mapped
 * trie (Bagwell 2001), five bits of the hash a level. Order of iteration is not defined.
 */
final class PersistentMap<V> {
    private static final int BITS = 5;
    private static final int LEVELS = 7;

    private sealed interface Node<V> {}

    /** Children by the bits of the hash; only those present, in order of their bits. */
    private record Branch<V>(int present, Node<V>[] children) implements Node<V> {}

    /** All entries of one hash, nearly always one. */
    private record Leaf<V>(int hash, String[] keys, Object[] values) implements Node<V> {}

    private final @Nullable Node<V> root;
    private final int size;

    PersistentMap() {
        this(null, 0);
    }

    private PersistentMap(@Nullable Node<V> root, int size) {
        this.root = root;
        this.size = size;
    }

    int size() {
        return size;
    }

    @Nullable
    V get(String key) {
        int hash = spread(key);
        Node<V> node = root;
        for (int level = 0; node instanceof Branch<V> branch; level++) {
            int bit = bit(hash, level);
            node = (branch.present & bit) == 0 ? null : branch.children[index(branch.present, bit)];
        }
        return node instanceof Leaf<V> leaf ? get(leaf, hash, key) : null;
    }

    PersistentMap<V> with(String key, V value) {
        Node<V> with = with(root, spread(key), 0, key, value);
        return new PersistentMap<>(with, get(key) == null ? size + 1 : size);
    }

    void forEachValue(Consumer<V> consumer) {
        if (root != null) {
            forEachValue(root, consumer);
        }
    }

    private static <V> Node<V> with(@Nullable Node<V> node, int hash, int level, String key, V value) {
        if (node == null) {
            return new Leaf<>(hash, new String[] {key}, new Object[] {value});
        }
        if (node instanceof Leaf<V> leaf) {
            if (leaf.hash == hash || level == LEVELS) {
                return with(leaf, hash, key, value);
            }
            Node<V> split = branch(bit(leaf.hash, level), leaf);
            return with(split, hash, level, key, value);
        }
        Branch<V> branch = (Branch<V>) node;
        int bit = bit(hash, level);
        int index = index(branch.present, bit);
        if ((branch.present & bit) != 0) {
            Node<V>[] children = branch.children.clone();
            children[index] = with(children[index], hash, level + 1, key, value);
            return new Branch<>(branch.present, children);
        }
        Node<V>[] children = Arrays.copyOf(branch.children, branch.children.length + 1);
        System.arraycopy(branch.children, index, children, index + 1, branch.children.length - index);
        children[index] = with(null, hash, level + 1, key, value);
        return new Branch<>(branch.present | bit, children);
    }

    private static <V> Node<V> with(Leaf<V> leaf, int hash, String key, V value) {
        int at = Arrays.asList(leaf.keys).indexOf(key);
        int length = leaf.keys.length;
        String[] keys = Arrays.copyOf(leaf.keys, at < 0 ? length + 1 : length);
        Object[] values = Arrays.copyOf(leaf.values, keys.length);
        keys[at < 0 ? length : at] = key;
        values[at < 0 ? length : at] = value;
        return new Leaf<>(hash, keys, values);
    }

    @SuppressWarnings("unchecked") // an array of a generic type cannot be made otherwise
    private static <V> Node<V> branch(int bit, Node<V> child) {
        Node<V>[] children = (Node<V>[]) new Node<?>[] {child};
        return new Branch<>(bit, children);
    }

    @SuppressWarnings("unchecked") // only values are ever put there
    private static <V> @Nullable V get(Leaf<V> leaf, int hash, String key) {
        int at = leaf.hash == hash ? Arrays.asList(leaf.keys).indexOf(key) : -1;
        return at < 0 ? null : (V) leaf.values[at];
    }

    @SuppressWarnings("unchecked") // only values are ever put there
    private static <V> void forEachValue(Node<V> node, Consumer<V> consumer) {
        if (node instanceof Leaf<V> leaf) {
            for (Object value : leaf.values) {
                consumer.accept((V) value);
            }
        } else if (node instanceof Branch<V> branch) {
            for (Node<V> child : branch.children) {
                forEachValue(child, consumer);
            }
        }
    }

    private static int bit(int hash, int level) {
        return 1 << (hash >>> level * BITS & (1 << BITS) - 1);
    }

    private static int index(int present, int bit) {
        return Integer.bitCount(present & bit - 1);
    }

    private static int spread(String key) {
        int hash = key.hashCode();
        return hash ^ hash >>> 16;
    }
}
