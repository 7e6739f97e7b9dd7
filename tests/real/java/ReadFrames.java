import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.SerializeType;

/**
 * Reads frames with the decoder of the official Java client and writes them again with its encoder.
 *
 * <p>Each line of standard input is one whole frame in hexadecimal digits, its four length bytes included. Each gets one
 * line on standard output, fields separated by tabs: "refused" and the class of what was thrown; or "read", code, flag,
 * opaque, version, language, remark, ext fields, body, and the frame as Java writes it as JSON and in its binary layout.
 * Texts and bytes are in hexadecimal digits, "-" stands for null; ext fields are name=value, in order of the names,
 * separated by commas; a form in which Java cannot write the frame is the class of what was thrown.
 */
public final class ReadFrames {
    private static final HexFormat HEX = HexFormat.of();

    private ReadFrames() {}

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(read(HEX.parseHex(line)));
        }
        out.flush();
    }

    private static String read(byte[] frame) {
        RemotingCommand command;
        try {
            // The frame decoder in front of it takes the length away.
            command = RemotingCommand.decode(ByteBuffer.wrap(frame, 4, frame.length - 4).slice());
        } catch (Throwable thrown) {
            return "refused\t" + thrown.getClass().getSimpleName();
        }
        if (command == null) {
            return "refused\tnull";
        }
        return String.join(
                "\t",
                "read",
                Integer.toString(command.getCode()),
                Integer.toString(command.getFlag()),
                Integer.toString(command.getOpaque()),
                Integer.toString(command.getVersion()),
                String.valueOf(command.getLanguage()),
                hex(command.getRemark()),
                fields(command.getExtFields()),
                command.getBody() == null ? "-" : HEX.formatHex(command.getBody()),
                write(command, SerializeType.JSON),
                write(command, SerializeType.ROCKETMQ));
    }

    private static String hex(String text) {
        return text == null ? "-" : HEX.formatHex(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String fields(Map<String, String> fields) {
        if (fields == null) {
            return "-";
        }
        TreeMap<String, String> sorted = new TreeMap<>();
        // Values of a foreign type get in past the compiler.
        for (Map.Entry<?, ?> field : ((Map<?, ?>) fields).entrySet()) {
            Object value = field.getValue();
            sorted.put(hex(String.valueOf(field.getKey())), value == null ? "-" : hex(value.toString()));
        }
        StringBuilder text = new StringBuilder();
        sorted.forEach((name, value) -> text.append(text.length() == 0 ? "" : ",").append(name + "=" + value));
        return text.toString();
    }

    private static String write(RemotingCommand command, SerializeType form) {
        try {
            command.setSerializeTypeCurrentRPC(form);
            ByteBuffer frame = command.encode();
            byte[] bytes = new byte[frame.remaining()];
            frame.get(bytes);
            return HEX.formatHex(bytes);
        } catch (Throwable thrown) {
            return thrown.getClass().getSimpleName();
        }
    }
}
