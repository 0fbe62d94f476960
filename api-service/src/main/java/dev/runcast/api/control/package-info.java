/**
 * What people ask of executions: each request is appended to the log like any other update, and what became of it is
 * read from the changes. Nothing here decides anything, and nothing here calls a workflow engine.
 */
@NullMarked
package dev.runcast.api.control;

import org.jspecify.annotations.NullMarked;
