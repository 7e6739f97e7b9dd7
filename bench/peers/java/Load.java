import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONWriter;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.MQVersion;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Sends messages with the official Java client and prints what that cost, as one line that begins with RESULT. */
public final class Load {
    /** The compiler goes over the code again when the load ends and begins anew. */
    private static final int WARM_UP_PHASES = 4;

    /** Of the very first calls: a cold virtual machine on a busy computer does not make them in the usual 3 s. */
    private static final int FIRST_CALL_MILLIS = 20_000;

    private final Options options;
    private final DefaultMQProducer producer = new DefaultMQProducer("bench-producer-group");
    private long sent;

    private Load(Options options) {
        this.options = options;
        producer.setNamesrvAddr(options.nameServer);
        producer.setSendMsgTimeout(options.deadlineMillis);
        producer.setMqClientApiTimeout(FIRST_CALL_MILLIS);
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    }

    public static void main(String[] arguments) {
        Options options;
        try {
            options = Options.parse(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + Options.USAGE);
            System.exit(2);
            return;
        }
        // Read once, when the class of the commands is loaded.
        System.setProperty(RemotingCommand.SERIALIZE_TYPE_PROPERTY, options.serialize.toUpperCase(Locale.ROOT));
        int status = 0;
        try {
            System.out.println("RESULT " + JSON.toJSONString(new Load(options).run(), JSONWriter.Feature.WriteNulls));
        } catch (Exception e) {
            System.err.println("the load could not run: " + e);
            status = 1;
        }
        // Threads of the client that are still ending must not hold the process.
        System.exit(status);
    }

    private Map<String, Object> run() throws Exception {
        producer.start();
        try {
            Sender sender = Sender.of(producer, options);
            warmUp(sender);
            Figures before = Figures.before();
            Phase phase = new Phase(sent, options.messages, options.rate, 0);
            sender.send(phase);
            return result(phase, before, Figures.after());
        } finally {
            producer.shutdown();
        }
    }

    private void warmUp(Sender sender) throws Exception {
        if (options.warmUp == 0) {
            return;
        }
        Phase probe = new Phase(0, 1, 0, 0);
        sender.sendAndWait(probe, probe.take(), FIRST_CALL_MILLIS);
        if (probe.failed() > 0) {
            throw new IOException("the first message failed: " + probe.firstError());
        }
        sent = 1;
        long limit = options.warmUpIsLimited ? TimeUnit.SECONDS.toNanos(Options.WARM_UP_SECONDS) / WARM_UP_PHASES : 0;
        for (int i = WARM_UP_PHASES; i > 0; i--) {
            long share = (options.warmUp - sent) / i;
            Phase phase = new Phase(sent, share, 0, limit);
            sender.send(phase);
            sent += phase.taken();
        }
    }

    private Map<String, Object> result(Phase phase, Figures before, Figures after) throws IOException {
        if (phase.ended() != options.messages) {
            throw new IllegalStateException(phase.ended() + " messages ended, not " + options.messages);
        }
        double user = after.userSeconds() - before.userSeconds();
        double system = after.systemSeconds() - before.systemSeconds();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("client", "java");
        result.put("version", MQVersion.getVersionDesc(MQVersion.CURRENT_VERSION).substring(1).replace('_', '.'));
        result.put("variant", options.modeName());
        result.put("serialize", options.serialize);
        result.put("in_flight", options.inFlight);
        result.put("body_bytes", options.body);
        result.put("messages", options.messages);
        result.put("failed", phase.failed());
        result.put("first_error", phase.firstError());
        result.put("seconds", (after.nanos() - before.nanos()) / 1e9);
        result.put("cpu_seconds", user + system);
        result.put("user_seconds", user);
        result.put("system_seconds", system);
        boolean answers = options.mode != Options.Mode.ONE_WAY;
        result.put("p50_us", answers ? phase.percentile(50) : null);
        result.put("p90_us", answers ? phase.percentile(90) : null);
        result.put("p99_us", answers ? phase.percentile(99) : null);
        result.put("p999_us", answers ? phase.percentile(99.9) : null);
        result.put("max_us", answers ? phase.percentile(100) : null);
        // The virtual machine counts the bytes, not the objects.
        result.put("allocations", null);
        result.put("allocated_bytes", after.allocatedBytes() - before.allocatedBytes());
        result.put("voluntary_switches", after.voluntarySwitches() - before.voluntarySwitches());
        result.put("involuntary_switches", after.involuntarySwitches() - before.involuntarySwitches());
        result.put("writes", after.writes() - before.writes());
        result.put("reads", after.reads() - before.reads());
        result.put("peak_rss_kib", Figures.peakMemoryKib());
        result.put("sends_per_second_offered", options.rate == 0 ? null : options.rate);
        return result;
    }
}
