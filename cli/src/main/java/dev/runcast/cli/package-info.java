/**
 * The {@code runcast} command: plays recordings into the pipeline and shows executions in a terminal.
 * Every command is a client of the two doors and knows nothing of what lies behind them.
 */
@NullMarked
package dev.runcast.cli;

import org.jspecify.annotations.NullMarked;
