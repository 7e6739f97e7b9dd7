import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** One stretch of sends: hands out the numbers of the messages, and is told how each of them ended. */
final class Phase {
    /** Three digits are kept: 0.1 % of the value. */
    private static final int DIGITS = 3;

    private static final int MOST_ERROR_TEXT = 300;

    private final long first;
    private final long count;
    private final double rate;
    private final long start = System.nanoTime();
    private final long limitNanos;
    private final AtomicLong next = new AtomicLong();
    private final LongAdder stored = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final AtomicReference<String> firstError = new AtomicReference<>();
    private final Histogram latencies = new ConcurrentHistogram(DIGITS);

    /** Messages first, first + 1, ...; at most count of them, and none after the limit, if that is more than 0. */
    Phase(long first, long count, double rate, long limitNanos) {
        this.first = first;
        this.count = count;
        this.rate = rate;
        this.limitNanos = limitNanos;
    }

    /** The place of the next message in this phase, from 0, or -1 if there is none left. */
    long take() {
        if (limitNanos > 0 && System.nanoTime() - start > limitNanos) {
            return -1;
        }
        long place = next.getAndIncrement();
        return place < count ? place : -1;
    }

    String key(long place) {
        return "k" + (first + place);
    }

    /**
     * Waits until the message is due, and returns the instant from which its latency counts. At a fixed rate that is the
     * intended one: a message that could not leave in time because others were in its way has waited already.
     */
    long due(long place) {
        if (rate == 0) {
            return System.nanoTime();
        }
        long intended = start + (long) (place * 1e9 / rate);
        for (long left; (left = intended - System.nanoTime()) > 0;) {
            LockSupport.parkNanos(left);
        }
        return intended;
    }

    void stored(long since) {
        latencies.recordValue(Math.max(0, System.nanoTime() - since));
        stored.increment();
    }

    /** A one-way message was handed to the client: nobody will say when it is stored. */
    void handedOver() {
        stored.increment();
    }

    void failed(Throwable cause) {
        failed(cause.toString());
    }

    void failed(String text) {
        failed.increment();
        if (firstError.get() == null) {
            String line = text.lines().findFirst().orElse("");
            firstError.compareAndSet(null, line.substring(0, Math.min(line.length(), MOST_ERROR_TEXT)));
        }
    }

    long failed() {
        return failed.sum();
    }

    String firstError() {
        return firstError.get();
    }

    /** Microseconds, or null if no latency is known. */
    Double percentile(double percent) {
        return latencies.getTotalCount() == 0 ? null : latencies.getValueAtPercentile(percent) / 1e3;
    }

    /** How many messages were handed out. */
    long taken() {
        return Math.min(next.get(), count);
    }

    long ended() {
        return stored.sum() + failed.sum();
    }
}
