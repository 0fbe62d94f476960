/** The reference runner. */
package dev.runcast.worker.agent;
