import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import com.google.protobuf.*;
import io.confluent.connect.json.*;
import io.confluent.connect.protobuf.*;
import io.confluent.kafka.schemaregistry.json.JsonSchema;
import io.confluent.kafka.schemaregistry.json.jackson.Jackson;
import io.confluent.kafka.schemaregistry.protobuf.*;
import io.confluent.kafka.serializers.protobuf.ProtobufSchemaAndValue;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/** Reads one case a line (a JSON text with schema, or a registered schema and bytes; settings), and writes what Confluent's ProtobufData or JsonSchemaData 8.0.0 made of it. */
public class SchemaRecorder {
    static final ObjectMapper M = new ObjectMapper(), J = Jackson.newObjectMapper();
    static final JsonConverter C = new JsonConverter();

    public static void main(String[] a) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream o = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
        C.configure(Map.of("replace.null.with.default", "false"), false);
        for (String l; (l = in.readLine()) != null; ) {
            ObjectNode c = (ObjectNode) M.readTree(l);
            try {
                Map<String, Object> m = new HashMap<>();
                c.get("config").fields().forEachRemaining(e -> m.put(e.getKey(), e.getValue().asText()));
                SchemaAndValue v = c.has("json") ? C.toConnectData("t", c.get("json").asText().getBytes(StandardCharsets.UTF_8)) : null;
                SchemaAndValue back = c.get("kind").asText().equals("PROTOBUF") ? protobuf(c, m, v) : json(c, m, v);
                c.put("back", new String(C.fromConnectData("t", back.schema(), back.value()), StandardCharsets.UTF_8));
            } catch (Throwable e) {
                c.put("error", e.getClass().getSimpleName() + ": " + e.getMessage());
                if (System.getenv("TRACE") != null) e.printStackTrace();
            }
            o.println(M.writeValueAsString(c));
        }
        o.flush();
    }

    static SchemaAndValue protobuf(ObjectNode c, Map<String, Object> m, SchemaAndValue v) throws Exception {
        ProtobufData d = new ProtobufData(new ProtobufDataConfig(m));
        if (v != null) {
            ProtobufSchemaAndValue p = d.fromConnectData(v.schema(), v.value());
            Message message = (Message) p.getValue();
            c.put("schema", p.getSchema().canonicalString());
            MessageIndexes indexes = p.getSchema().toMessageIndexes(message.getDescriptorForType().getFullName());
            c.put("bytes", base64(both(indexes.toByteArray(), message.toByteArray())));
        }
        ProtobufSchema s = new ProtobufSchema(c.get("schema").asText());
        java.nio.ByteBuffer b = java.nio.ByteBuffer.wrap(Base64.getDecoder().decode(c.get("bytes").asText()));
        s = s.copy(s.toMessageName(MessageIndexes.readFrom(b)));
        byte[] rest = new byte[b.remaining()];
        b.get(rest);
        return d.toConnectData(s, DynamicMessage.parseFrom(s.toDescriptor(), rest, ProtobufSchema.EXTENSION_REGISTRY));
    }

    static SchemaAndValue json(ObjectNode c, Map<String, Object> m, SchemaAndValue v) throws Exception {
        JsonSchemaData d = new JsonSchemaData(new JsonSchemaDataConfig(m));
        if (v != null) {
            c.put("schema", d.fromConnectSchema(v.schema()).canonicalString());
            c.put("bytes", base64(J.writeValueAsBytes(d.fromConnectData(v.schema(), v.value()))));
        }
        JsonNode n = J.readValue(Base64.getDecoder().decode(c.get("bytes").asText()), JsonNode.class);
        org.apache.kafka.connect.data.Schema s = d.toConnectSchema(new JsonSchema(c.get("schema").asText()));
        return new SchemaAndValue(s, d.toConnectData(s, n));
    }

    static byte[] both(byte[] x, byte[] y) {
        byte[] all = Arrays.copyOf(x, x.length + y.length);
        System.arraycopy(y, 0, all, x.length, y.length);
        return all;
    }

    static String base64(byte[] b) {
        return Base64.getEncoder().encodeToString(b);
    }
}
