import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;

/**
 * One thread submits, callbacks make room. The number in flight is limited here and not by the client, whose own limit is
 * off unless asked for; the benchmark that comes with RocketMQ holds back its sends itself too.
 */
final class AsyncSender extends Sender {
    AsyncSender(DefaultMQProducer producer, Options options) {
        super(producer, options);
    }

    @Override
    void send(Phase phase) throws InterruptedException {
        wantFineSleep();
        Semaphore room = new Semaphore(options.inFlight);
        for (long place; (place = phase.take()) >= 0;) {
            if (!room.tryAcquire(patienceMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(
                    "no callback came for " + patienceMillis() + " ms, although all " + options.inFlight + " were due");
            }
            Ended ended = new Ended(phase, room, phase.due(place));
            try {
                producer.send(message(phase, place), ended);
            } catch (Exception e) {
                ended.onException(e);
            }
        }
        if (!room.tryAcquire(options.inFlight, patienceMillis(), TimeUnit.MILLISECONDS)) {
            for (int missing = options.inFlight - room.availablePermits(); missing > 0; missing--) {
                phase.failed("the callback was never called");
            }
        }
    }

    /** Longer than all attempts of a send take together. */
    private long patienceMillis() {
        return (1L + producer.getRetryTimesWhenSendAsyncFailed()) * options.deadlineMillis + 30_000L;
    }

    /** Is itself the mark that the message has ended, so that a client which tells it twice makes no more room. */
    private static final class Ended extends AtomicBoolean implements SendCallback {
        private static final long serialVersionUID = 1;

        private final transient Phase phase;
        private final transient Semaphore room;
        private final long since;

        Ended(Phase phase, Semaphore room, long since) {
            this.phase = phase;
            this.room = room;
            this.since = since;
        }

        @Override
        public void onSuccess(SendResult result) {
            if (!getAndSet(true)) {
                answered(phase, result, since);
                room.release();
            }
        }

        @Override
        public void onException(Throwable cause) {
            if (!getAndSet(true)) {
                phase.failed(cause);
                room.release();
            }
        }
    }
}
