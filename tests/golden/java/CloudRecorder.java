import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import io.debezium.converters.CloudEventsConverter;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.storage.Converter;

/** Reads one case a line (a value as JSON with schema, headers alike, settings), and writes what Debezium's CloudEventsConverter made of it; its Avro is JSON with schema behind five bytes. */
public class CloudRecorder {
    static final ObjectMapper M = new ObjectMapper();

    static class Avro implements Converter {
        final JsonConverter json = json();
        public void configure(Map<String, ?> c, boolean k) { }
        public byte[] fromConnectData(String t, Schema s, Object v) {
            byte[] b = json.fromConnectData(t, s, v), out = new byte[b.length + 5];
            out[4] = (byte) t.length();
            System.arraycopy(b, 0, out, 5, b.length);
            return out;
        }
        public SchemaAndValue toConnectData(String t, byte[] b) {
            return json.toConnectData(t, Arrays.copyOfRange(b, 5, b.length));
        }
    }
    static JsonConverter json() {
        JsonConverter c = new JsonConverter();
        c.configure(Map.of("replace.null.with.default", "false"), false);
        return c;
    }
    public static void main(String[] a) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream o = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
        JsonConverter j = json();
        for (String l; (l = in.readLine()) != null; ) {
            ObjectNode c = (ObjectNode) M.readTree(l);
            try {
                Map<String, String> m = new HashMap<>();
                c.get("config").fields().forEachRemaining(e -> m.put(e.getKey(), e.getValue().asText()));
                CloudEventsConverter x = new CloudEventsConverter(new Avro());
                x.configure(m, false);
                SchemaAndValue v = j.toConnectData("t", c.get("value").isNull() ? null : c.get("value").asText().getBytes(StandardCharsets.UTF_8));
                RecordHeaders h = new RecordHeaders();
                for (JsonNode n : c.get("headers")) h.add(n.get(0).asText(), n.get(1).asText().getBytes(StandardCharsets.UTF_8));
                byte[] b = x.fromConnectData("t", h, v.schema(), v.value());
                c.put("out", b == null ? null : Base64.getEncoder().encodeToString(b));
                if (b != null && m.getOrDefault("serializer.type", "json").equals("avro")) {
                    SchemaAndValue back = x.toConnectData("t", b);
                    c.put("back", new String(j.fromConnectData("t", back.schema(), back.value()), StandardCharsets.UTF_8));
                }
            } catch (Throwable e) {
                c.put("error", e.getClass().getSimpleName() + ": " + e.getMessage());
            }
            o.println(M.writeValueAsString(c));
        }
        o.flush();
    }
}
