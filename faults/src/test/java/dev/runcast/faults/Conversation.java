package dev.runcast.faults;

import java.io.IOException;
import java.io.OutputStream;

/** What a proxy does with the bytes of one connection. Each direction is called by one thread of its own. */
interface Conversation {
    /** Hands everything on as it is. */
    Conversation PLAIN = new Conversation() {};

    /** Bytes that the client sent. */
    default void fromClient(byte[] bytes, int length, OutputStream toServer) throws IOException {
        toServer.write(bytes, 0, length);
    }

    /** Bytes that the server sent. */
    default void fromServer(byte[] bytes, int length, OutputStream toClient) throws IOException {
        toClient.write(bytes, 0, length);
    }
}
