/** Each server is met by a real client, stopped, started again on its data, and given ports and folders it must refuse. */
@NullMarked
package dev.runcast.embedded;

import org.jspecify.annotations.NullMarked;
