/** The workflow's decisions. */
package dev.runcast.worker.supervise;
