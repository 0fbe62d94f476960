/**
 * The memory on MongoDB: single-document writes by {@code _id} only, each harmless to repeat. What a reader needs is
 * found by exact {@code _id} too, since that is what every server that speaks MongoDB's protocol does fast.
 */
@NullMarked
package dev.runcast.store.mongo;

import org.jspecify.annotations.NullMarked;
