import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import io.apicurio.registry.utils.converter.avro.*;
import io.apicurio.registry.serde.avro.NonRecordContainer;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.json.JsonConverter;

/** Reads one case a line (a JSON text with schema, or an Avro schema and bytes; settings), and writes what Confluent's AvroData, as Apicurio ships it, made of it. */
public class AvroRecorder {
    static final ObjectMapper M = new ObjectMapper();
    public static void main(String[] a) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream o = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
        JsonConverter j = new JsonConverter();
        j.configure(Map.of("replace.null.with.default", "false"), false);
        for (String l; (l = in.readLine()) != null; ) {
            ObjectNode c = (ObjectNode) M.readTree(l);
            try {
                Map<String, Object> m = new HashMap<>();
                c.get("config").fields().forEachRemaining(e -> m.put(e.getKey(), e.getValue().asText()));
                AvroData d = new AvroData(new AvroDataConfig(m));
                org.apache.avro.Schema s;
                byte[] bytes;
                if (c.has("json")) {
                    SchemaAndValue v = j.toConnectData("t", c.get("json").asText().getBytes(StandardCharsets.UTF_8));
                    s = d.fromConnectSchema(v.schema());
                    c.put("avro", s.toString());
                    Object x = d.fromConnectData(v.schema(), v.value());
                    if (x instanceof NonRecordContainer) x = ((NonRecordContainer) x).getValue();
                    ByteArrayOutputStream b = new ByteArrayOutputStream();
                    BinaryEncoder e = EncoderFactory.get().directBinaryEncoder(b, null);
                    new GenericDatumWriter<Object>(s).write(x, e);
                    e.flush();
                    bytes = b.toByteArray();
                    c.put("bytes", Base64.getEncoder().encodeToString(bytes));
                } else {
                    s = new org.apache.avro.Schema.Parser().parse(c.get("avro").asText());
                    bytes = Base64.getDecoder().decode(c.get("bytes").asText());
                }
                Object r = new GenericDatumReader<Object>(s).read(null, DecoderFactory.get().binaryDecoder(bytes, null));
                SchemaAndValue back = d.toConnectData(s, r);
                c.put("back", new String(j.fromConnectData("t", back.schema(), back.value()), StandardCharsets.UTF_8));
            } catch (Throwable e) { c.put("error", e.getClass().getSimpleName() + ": " + e.getMessage()); }
            o.println(M.writeValueAsString(c));
        }
        o.flush();
    }
}
