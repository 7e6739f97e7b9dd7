import java.util.Locale;

/** What the command line asks for. */
final class Options {
    enum Mode { SYNC, ASYNC, ONE_WAY }

    /** Messages that are sent, at most for {@link #WARM_UP_SECONDS}, when the command line does not say how many. */
    private static final long USUAL_WARM_UP = 1_000_000;

    static final long WARM_UP_SECONDS = 20;

    static final String USAGE = """
        usage: java --name-server HOST:PORT --messages M [options]
          --in-flight N      messages that wait for their answers at the same time (default 256); in mode sync the
                             number of threads; without meaning in mode one-way
          --body BYTES       size of a body (default 1024)
          --warm-up W        messages sent before the measured ones (default: 1000000, but for no more than 20 s)
          --rate R           messages per second; without it as fast as the number in flight allows
          --serialize F      json (default) or rocketmq: form of the headers of requests
          --topic T          (default Bench)
          --deadline-ms D    limit of one send (default 3000)
          --mode MODE        async (default), sync or one-way""";

    String nameServer;
    int inFlight = 256;
    int body = 1024;
    long messages;
    long warmUp = USUAL_WARM_UP;
    boolean warmUpIsLimited = true;
    double rate;
    String serialize = "json";
    String topic = "Bench";
    int deadlineMillis = 3000;
    Mode mode = Mode.ASYNC;

    /** Throws IllegalArgumentException with a text for the user. */
    static Options parse(String[] arguments) {
        Options options = new Options();
        for (int i = 0; i < arguments.length; i += 2) {
            if (i + 1 == arguments.length) {
                throw new IllegalArgumentException(arguments[i] + " has no value, or is no option");
            }
            options.set(arguments[i], arguments[i + 1]);
        }
        if (options.nameServer == null) {
            throw new IllegalArgumentException("--name-server is missing");
        }
        if (options.messages == 0) {
            throw new IllegalArgumentException("--messages is missing");
        }
        return options;
    }

    private void set(String name, String value) {
        switch (name) {
            case "--name-server" -> nameServer = value;
            case "--in-flight" -> inFlight = (int) number(name, value, 1, 100_000);
            case "--body" -> body = (int) number(name, value, 1, 4 << 20);
            case "--messages" -> messages = number(name, value, 1, Long.MAX_VALUE);
            case "--warm-up" -> {
                warmUp = number(name, value, 0, Long.MAX_VALUE);
                warmUpIsLimited = false;
            }
            case "--rate" -> rate = positive(name, value);
            case "--serialize" -> serialize = oneOf(name, value, "json", "rocketmq");
            case "--topic" -> topic = value;
            case "--deadline-ms" -> deadlineMillis = (int) number(name, value, 1, 3_600_000);
            case "--mode" -> mode = Mode.valueOf(
                oneOf(name, value, "async", "sync", "one-way").replace('-', '_').toUpperCase(Locale.ROOT));
            default -> throw new IllegalArgumentException(name + " is no option");
        }
    }

    String modeName() {
        return mode.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static long number(String name, String value, long least, long most) {
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Falls through to the same complaint.
        }
        throw new IllegalArgumentException(name + " takes a whole number from " + least + " to " + most + ", not " + value);
    }

    private static double positive(String name, String value) {
        try {
            double number = Double.parseDouble(value);
            if (number > 0 && number < 1e9) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Falls through to the same complaint.
        }
        throw new IllegalArgumentException(name + " takes messages per second, more than 0, not " + value);
    }

    private static String oneOf(String name, String value, String... choices) {
        for (String choice : choices) {
            if (choice.equals(value)) {
                return value;
            }
        }
        throw new IllegalArgumentException(name + " takes " + String.join(" or ", choices) + ", not " + value);
    }
}
