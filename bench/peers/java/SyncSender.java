import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** As many threads as messages may be in flight; each sends one message after the other. */
final class SyncSender extends Sender {
    /** The same threads for all phases: what a thread has used up is not known any more when it has ended. */
    private final ExecutorService threads;

    SyncSender(DefaultMQProducer producer, Options options) {
        super(producer, options);
        threads = Executors.newFixedThreadPool(options.inFlight, work -> {
            Thread thread = new Thread(work, "sender");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    void send(Phase phase) throws InterruptedException {
        CountDownLatch busy = new CountDownLatch(options.inFlight);
        for (int i = 0; i < options.inFlight; i++) {
            threads.execute(() -> {
                try {
                    wantFineSleep();
                    for (long place; (place = phase.take()) >= 0;) {
                        sendAndWait(phase, place);
                    }
                } finally {
                    busy.countDown();
                }
            });
        }
        busy.await();
    }
}
