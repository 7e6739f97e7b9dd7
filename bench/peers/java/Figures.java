import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process has used up so far. Differences of two of these are the figures of a phase. */
record Figures(
    long nanos,
    double userSeconds,
    double systemSeconds,
    long allocatedBytes,
    long voluntarySwitches,
    long involuntarySwitches,
    long writes,
    long reads) {

    /** Clock ticks in which the kernel counts processor time; the same on all Linux architectures that Java runs on. */
    private static final double TICKS_PER_SECOND = 100;

    private static final Path SELF = Path.of("/proc/self");

    /** Time comes last, so that reading the other figures is not part of the phase that begins. */
    static Figures before() throws IOException {
        long[] switches = switches();
        long[] calls = calls();
        long allocated = allocated();
        double[] cpu = cpu();
        return new Figures(System.nanoTime(), cpu[0], cpu[1], allocated, switches[0], switches[1], calls[0], calls[1]);
    }

    /** Time comes first, for the same reason. */
    static Figures after() throws IOException {
        long nanos = System.nanoTime();
        double[] cpu = cpu();
        long allocated = allocated();
        long[] calls = calls();
        long[] switches = switches();
        return new Figures(nanos, cpu[0], cpu[1], allocated, switches[0], switches[1], calls[0], calls[1]);
    }

    static long peakMemoryKib() throws IOException {
        return status(SELF.resolve("status"), "VmHWM:");
    }

    private static double[] cpu() throws IOException {
        String text = Files.readString(SELF.resolve("stat"));
        // The name of the program, in parentheses, may hold anything. After it, user time is the 12th field.
        String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ");
        return new double[] {
            Long.parseLong(fields[11]) / TICKS_PER_SECOND, Long.parseLong(fields[12]) / TICKS_PER_SECOND};
    }

    /** Of the threads that live. All that send live from the first warm-up to the end. */
    private static long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
            sum += Math.max(0, bytes);
        }
        return sum;
    }

    /** Calls of write and read: sockets, and the event counters with which threads wake each other's selectors. */
    private static long[] calls() throws IOException {
        Path io = SELF.resolve("io");
        return new long[] {status(io, "syscw:"), status(io, "syscr:")};
    }

    private static long[] switches() throws IOException {
        long[] sum = new long[2];
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(SELF.resolve("task"))) {
            for (Path task : tasks) {
                try {
                    sum[0] += status(task.resolve("status"), "voluntary_ctxt_switches:");
                    sum[1] += status(task.resolve("status"), "nonvoluntary_ctxt_switches:");
                } catch (IOException e) {
                    // The thread has ended since the list was read, such as one of the compiler's.
                }
            }
        }
        return sum;
    }

    private static long status(Path file, String name) throws IOException {
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith(name)) {
                return Long.parseLong(line.substring(name.length()).replace("kB", "").strip());
            }
        }
        throw new IOException(file + " has no line " + name);
    }
}
