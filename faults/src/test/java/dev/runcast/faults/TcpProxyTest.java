package dev.runcast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A fault that is not done proves nothing: the proxies do what they say. */
final class TcpProxyTest {
    private ServerSocket echo;
    private TcpProxy proxy;

    @BeforeEach
    void start() throws IOException {
        echo = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        Thread server = new Thread(this::serve);
        server.setDaemon(true);
        server.start();
        proxy = new TcpProxy(echo.getLocalPort());
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        echo.close();
    }

    @Test
    void passesBothWays() throws IOException {
        try (Socket client = connect()) {
            assertThat(ask(client, "hello")).isEqualTo("hello");
        }
    }

    @Test
    void swallowsInSilenceAndCutsWhatLostBytesWhenItPassesAgain() throws IOException {
        try (Socket client = connect();
                Socket idle = connect()) {
            assertThat(ask(idle, "before")).isEqualTo("before");
            proxy.swallow();
            client.setSoTimeout(300);
            client.getOutputStream().write('x');
            assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            proxy.pass();
            client.setSoTimeout(5_000);
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThat(ask(idle, "after")).isEqualTo("after");
        }
    }

    @Test
    void refusesAndTakesConnectionsAgain() throws IOException {
        try (Socket client = connect()) {
            proxy.refuse();
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
            proxy.pass();
            try (Socket again = connect()) {
                assertThat(ask(again, "hello")).isEqualTo("hello");
            }
        }
    }

    @Test
    void holdsAnswersUp() throws IOException {
        proxy.delayAnswers(Duration.ofMillis(400));
        try (Socket client = connect()) {
            long begin = System.nanoTime();
            assertThat(ask(client, "slow")).isEqualTo("slow");
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofMillis(400));
        }
    }

    @Test
    void publishedMessagesAreLostWithTheChannelsNameAndAllElseIsUntouched() throws IOException {
        AtomicLong lost = new AtomicLong();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DeafRedis deaf = new DeafRedis(1, new Random(1), lost);
        byte[] commands = ("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*3\r\n$7\r\nPUBLISH\r\n$4\r\nabcd\r\n$2\r\n\r\n\r\nPING\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        for (byte b : commands) {
            deaf.fromClient(new byte[] {b}, 1, out);
        }
        assertThat(out.toString(StandardCharsets.US_ASCII))
                .isEqualTo(new String(commands, StandardCharsets.US_ASCII).replace("abcd", "!bcd"));
        assertThat(lost).hasValue(1);
    }

    @Test
    void theTapIsPulledBeforeTheAnswerToAnUpdateOfItsCollectionGoesOn() throws IOException {
        List<String> order = new ArrayList<>();
        ByteArrayOutputStream toClient = new ByteArrayOutputStream() {
            @Override
            public void write(byte[] bytes) {
                order.add("answer " + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(8));
            }
        };
        MongoTap tap = new MongoTap("executions", () -> order.add("pulled"));
        for (byte[] request : List.of(update(1, "changes"), update(2, "executions"))) {
            tap.fromClient(request, request.length, new ByteArrayOutputStream());
        }
        for (int number : new int[] {1, 2}) {
            byte[] answer = message(100 + number, number, new byte[4]);
            for (byte b : answer) {
                tap.fromServer(new byte[] {b}, 1, toClient);
            }
        }
        assertThat(order).containsExactly("answer 1", "pulled", "answer 2");
    }

    private static byte[] update(int number, String collection) {
        byte[] name = (collection + '\0').getBytes(StandardCharsets.US_ASCII);
        ByteBuffer body = ByteBuffer.allocate(9 + 8 + 4 + name.length).order(ByteOrder.LITTLE_ENDIAN);
        body.putInt(0).put((byte) 0).putInt(99).put((byte) 2).put("update\0".getBytes(StandardCharsets.US_ASCII));
        return message(number, 0, body.putInt(name.length).put(name).array());
    }

    private static byte[] message(int number, int answers, byte[] body) {
        return ByteBuffer.allocate(16 + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(16 + body.length)
                .putInt(number)
                .putInt(answers)
                .putInt(2013)
                .put(body)
                .array();
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        socket.setSoTimeout(5_000);
        return socket;
    }

    private static String ask(Socket socket, String words) throws IOException {
        byte[] sent = words.getBytes(StandardCharsets.UTF_8);
        socket.getOutputStream().write(sent);
        return new String(socket.getInputStream().readNBytes(sent.length), StandardCharsets.UTF_8);
    }

    private void serve() {
        while (!echo.isClosed()) {
            try {
                Socket socket = echo.accept();
                Thread line = new Thread(() -> {
                    try (socket) {
                        socket.getInputStream().transferTo(socket.getOutputStream());
                    } catch (IOException cut) {
                        // As the tests do.
                    }
                });
                line.setDaemon(true);
                line.start();
            } catch (IOException closed) {
                return;
            }
        }
    }
}
