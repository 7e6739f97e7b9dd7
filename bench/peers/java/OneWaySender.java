import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** One thread hands over messages that nobody answers, as fast as the client takes them. */
final class OneWaySender extends Sender {
    OneWaySender(DefaultMQProducer producer, Options options) {
        super(producer, options);
    }

    /**
     * The last message waits for its answer. It goes over the same connection, so all before it have been written and
     * read by then; otherwise the phase would end while the client still has messages to write.
     */
    @Override
    void send(Phase phase) {
        wantFineSleep();
        long place = phase.take();
        for (long next; place >= 0; place = next) {
            next = phase.take();
            if (next >= 0) {
                handOver(phase, place);
            } else {
                sendAndWait(phase, place);
            }
        }
    }

    private void handOver(Phase phase, long place) {
        phase.due(place);
        try {
            producer.sendOneway(message(phase, place));
            phase.handedOver();
        } catch (Exception e) {
            phase.failed(e);
        }
    }
}
