/** The workers against a real broker, the real merge and Temporal's test server. */
package dev.runcast.worker;
