import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/** A way of sending the messages of a phase. */
abstract class Sender {
    protected final DefaultMQProducer producer;
    protected final Options options;
    private final byte[] body;

    protected Sender(DefaultMQProducer producer, Options options) {
        this.producer = producer;
        this.options = options;
        this.body = new byte[options.body];
        Arrays.fill(body, "x".getBytes(StandardCharsets.US_ASCII)[0]);
    }

    static Sender of(DefaultMQProducer producer, Options options) {
        return switch (options.mode) {
            case SYNC -> new SyncSender(producer, options);
            case ASYNC -> new AsyncSender(producer, options);
            case ONE_WAY -> new OneWaySender(producer, options);
        };
    }

    /**
     * Returns when every message of the phase has ended. At a fixed rate, threads that wait until a message is due have
     * called {@link #wantFineSleep}.
     */
    abstract void send(Phase phase) throws InterruptedException;

    /**
     * Linux may let a thread sleep 50 µs longer than it wishes, unless it asks for less. Java has no call for that, but
     * there is a file, which a thread may write for itself. Where the system does not listen, the thread sleeps longer.
     */
    protected static void wantFineSleep() {
        try {
            Path thread = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName();
            Files.writeString(Path.of("/proc", thread.toString(), "timerslack_ns"), "1");
        } catch (IOException e) {
            // Nothing depends on it but some microseconds of latency at a fixed rate.
        }
    }

    protected final Message message(Phase phase, long place) {
        return new Message(options.topic, "TagA", phase.key(place), body);
    }

    /** Sends one message and waits for its answer. */
    protected final void sendAndWait(Phase phase, long place) {
        sendAndWait(phase, place, options.deadlineMillis);
    }

    final void sendAndWait(Phase phase, long place, int deadlineMillis) {
        long since = phase.due(place);
        try {
            answered(phase, producer.send(message(phase, place), deadlineMillis), since);
        } catch (Exception e) {
            phase.failed(e);
        }
    }

    protected static void answered(Phase phase, SendResult result, long since) {
        if (result.getSendStatus() == SendStatus.SEND_OK) {
            phase.stored(since);
        } else {
            phase.failed(result.getSendStatus().name());
        }
    }
}
