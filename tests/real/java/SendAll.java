import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientIDSetter;

/**
 * Sends messages with the official Java client and tells what the client was told.
 *
 * <p>Arguments: name server, topic, count, mode (sync, async or oneway), and, if wanted, a prefix of the keys (default
 * "java-"). Message number i, from 0, carries the key prefix + i, the tag "java" and its key as its body.
 *
 * <p>Standard output has one line per message, in the order of their numbers, fields separated by tabs: key, status,
 * msgId, offsetMsgId, broker, queueId, queueOffset. The status is the name of the SendStatus, ONE_WAY, or FAILED; a
 * field that the client was not told is "-". Exit status: 0 if every message was sent, 1 if one failed, 2 for wrong
 * arguments, 3 if the producer did not start or an answer never came.
 */
public final class SendAll {
    private static final int IN_FLIGHT = 64;
    private static final int SEND_TIMEOUT_MILLIS = 15_000;

    private final DefaultMQProducer producer = new DefaultMQProducer("java-send-all");
    private final String topic;
    private final String keyPrefix;
    private final String[] lines;

    private SendAll(String nameServer, String topic, String keyPrefix, int count) {
        this.topic = topic;
        this.keyPrefix = keyPrefix;
        this.lines = new String[count];
        producer.setNamesrvAddr(nameServer);
        // The first calls of a cold process on a loaded machine need longer than the default of 3 s.
        producer.setSendMsgTimeout(SEND_TIMEOUT_MILLIS);
        producer.setMqClientApiTimeout(SEND_TIMEOUT_MILLIS);
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 4 || arguments.length > 5) {
            System.err.println("usage: SendAll NAME-SERVER TOPIC COUNT sync|async|oneway [KEY-PREFIX]");
            System.exit(2);
        }
        int count = 0;
        try {
            count = Integer.parseInt(arguments[2]);
        } catch (NumberFormatException e) {
            System.err.println("not a count: " + arguments[2]);
            System.exit(2);
        }
        String keyPrefix = arguments.length == 5 ? arguments[4] : "java-";
        SendAll run = new SendAll(arguments[0], arguments[1], keyPrefix, count);
        try {
            run.producer.start();
        } catch (Exception e) {
            System.err.println("the producer did not start: " + e);
            System.exit(3);
        }
        int status;
        switch (arguments[3]) {
            case "sync":
                run.sendSync();
                status = 0;
                break;
            case "async":
                status = run.sendAsync() ? 0 : 3;
                break;
            case "oneway":
                run.sendOneway();
                status = 0;
                break;
            default:
                System.err.println("not a mode: " + arguments[3]);
                status = 2;
        }
        run.producer.shutdown();
        if (status == 0 && !run.print()) {
            status = 1;
        }
        // Threads of the client that are still ending must not hold the process.
        System.exit(status);
    }

    private void sendSync() {
        for (int i = 0; i < lines.length; i++) {
            Message message = message(i);
            try {
                stored(i, producer.send(message));
            } catch (Exception e) {
                failed(i, message, e);
            }
        }
    }

    private boolean sendAsync() throws InterruptedException {
        CountDownLatch open = new CountDownLatch(lines.length);
        Semaphore room = new Semaphore(IN_FLIGHT);
        for (int i = 0; i < lines.length; i++) {
            int number = i;
            Message message = message(i);
            room.acquire();
            SendCallback callback = new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    stored(number, result);
                    ended();
                }

                @Override
                public void onException(Throwable e) {
                    failed(number, message, e);
                    ended();
                }

                private void ended() {
                    room.release();
                    open.countDown();
                }
            };
            try {
                producer.send(message, callback);
            } catch (Exception e) {
                callback.onException(e);
            }
        }
        boolean all = open.await(4L * SEND_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        if (!all) {
            System.err.println(open.getCount() + " callbacks were never called");
        }
        return all;
    }

    private void sendOneway() {
        for (int i = 0; i < lines.length; i++) {
            Message message = message(i);
            try {
                producer.sendOneway(message);
                line(i, "ONE_WAY", MessageClientIDSetter.getUniqID(message), null, null, null, null);
            } catch (Exception e) {
                failed(i, message, e);
            }
        }
    }

    private Message message(int number) {
        String key = keyPrefix + number;
        return new Message(topic, "java", key, key.getBytes(StandardCharsets.UTF_8));
    }

    private void stored(int number, SendResult result) {
        line(number, result.getSendStatus().name(), result.getMsgId(), result.getOffsetMsgId(),
            result.getMessageQueue().getBrokerName(), result.getMessageQueue().getQueueId(), result.getQueueOffset());
    }

    private void failed(int number, Message message, Throwable cause) {
        System.err.println(keyPrefix + number + ": " + cause);
        line(number, "FAILED", MessageClientIDSetter.getUniqID(message), null, null, null, null);
    }

    private synchronized void line(int number, Object... fields) {
        StringBuilder text = new StringBuilder(keyPrefix).append(number);
        for (Object field : fields) {
            text.append('\t').append(field == null ? "-" : field);
        }
        lines[number] = text.toString();
    }

    /** Returns whether every message was sent. */
    private synchronized boolean print() {
        boolean all = true;
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line : lines) {
            out.println(line);
            all &= !line.contains("\tFAILED\t");
        }
        out.flush();
        return all && !out.checkError();
    }
}
