/** The bridge, against a real broker. */
package dev.runcast.worker.bridge;
