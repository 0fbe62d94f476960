/** Tests of the command line: each names a situation at a terminal or in a file. */
@NullMarked
package dev.runcast.cli;

import org.jspecify.annotations.NullMarked;
