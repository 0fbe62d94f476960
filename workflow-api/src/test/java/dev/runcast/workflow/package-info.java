/** The contract of activities, as it crosses the wire. */
package dev.runcast.workflow;
