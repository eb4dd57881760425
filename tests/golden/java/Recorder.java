import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.config.*;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.*;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** Reads one case a line, runs the class of Kafka Connect or Debezium that it names, and writes the case with what came out. */
public class Recorder {
    static final ObjectMapper M = new ObjectMapper();

    static Map<String, String> map(JsonNode n) {
        Map<String, String> m = new LinkedHashMap<>();
        if (n != null) n.fields().forEachRemaining(e -> m.put(e.getKey(), e.getValue().asText()));
        return m;
    }
    static byte[] bytes(JsonNode n) {
        if (n == null || n.isNull()) return null;
        if (n.isObject()) return Base64.getDecoder().decode(n.get("base64").asText());
        return n.asText().getBytes(StandardCharsets.UTF_8);
    }
    static JsonNode out(byte[] b) {
        return b == null ? NullNode.instance : new TextNode(new String(b, StandardCharsets.UTF_8));
    }
    static JsonConverter json(JsonNode config, boolean key) {
        JsonConverter c = new JsonConverter();
        c.configure(map(config), key);
        return c;
    }
    static JsonNode record(ConnectRecord<?> r, JsonConverter k, JsonConverter v, JsonConverter h) {
        if (r == null) return NullNode.instance;
        ObjectNode o = M.createObjectNode();
        o.put("topic", r.topic());
        if (r.kafkaPartition() != null) o.put("partition", r.kafkaPartition());
        o.set("key", out(k.fromConnectData(r.topic(), r.keySchema(), r.key())));
        o.set("value", out(v.fromConnectData(r.topic(), r.valueSchema(), r.value())));
        if (r.timestamp() != null) o.put("timestamp", r.timestamp());
        ArrayNode hs = o.putArray("headers");
        for (Header x : r.headers())
            hs.addArray().add(x.key()).add(out(h.fromConnectData(r.topic(), x.schema(), x.value())));
        return o;
    }
    static Object configurable(String cls, JsonNode config) throws Exception {
        Object t = Class.forName(cls).getDeclaredConstructor().newInstance();
        t.getClass().getMethod("configure", Map.class).invoke(t, map(config));
        return t;
    }
    @SuppressWarnings({"unchecked", "rawtypes"})
    static JsonNode run(JsonNode c) throws Exception {
        String op = c.get("op").asText();
        JsonConverter h = json(null, false);
        switch (op) {
            case "json": {
                JsonConverter in = json(c.get("config"), false), o = json(c.has("to") ? c.get("to") : c.get("config"), false);
                SchemaAndValue x = in.toConnectData("t", bytes(c.get("text")));
                return out(o.fromConnectData("t", x.schema(), x.value()));
            }
            case "convert": {  // any converter's bytes -> JSON with schema, and JSON with schema -> bytes
                Converter x = (Converter) Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
                x.configure(map(c.get("config")), false);
                if (c.has("json")) {
                    SchemaAndValue d = h.toConnectData("t", bytes(c.get("json")));
                    byte[] b = x.fromConnectData("t", d.schema(), d.value());
                    return b == null ? NullNode.instance : new TextNode(Base64.getEncoder().encodeToString(b));
                }
                SchemaAndValue d = x.toConnectData("t", bytes(c.get("text")));
                return out(h.fromConnectData("t", d.schema(), d.value()));
            }
            case "header": {
                SimpleHeaderConverter x = new SimpleHeaderConverter();
                if (c.has("json")) {
                    SchemaAndValue d = h.toConnectData("t", bytes(c.get("json")));
                    return out(x.fromConnectHeader("t", "h", d.schema(), d.value()));
                }
                SchemaAndValue d = x.toConnectHeader("t", "h", bytes(c.get("text")));
                return out(h.fromConnectData("t", d.schema(), d.value()));
            }
            case "config": {
                Object t = Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
                ConfigDef d = (ConfigDef) t.getClass().getMethod("config").invoke(t);
                ArrayNode a = M.createArrayNode();
                for (String n : d.names()) {
                    ConfigDef.ConfigKey k = d.configKeys().get(n);
                    ObjectNode o = a.addObject();
                    o.put("name", n); o.put("type", k.type.name()); o.put("importance", k.importance.name());
                    o.put("default", k.hasDefault() ? ConfigDef.convertToString(k.defaultValue, k.type) : "<required>");
                    o.put("doc", k.documentation); o.put("internal", k.internalConfig);
                    o.put("group", k.group); o.put("width", k.width.name()); o.put("label", k.displayName); o.put("order", k.orderInGroup);
                    if (k.validator != null) o.put("validator", k.validator.toString());
                    if (k.recommender != null) try { o.put("recommended", k.recommender.validValues(n, new HashMap<>()).toString()); } catch (Exception e) { o.put("recommended", "?"); }
                }
                return a;
            }
            case "transform": case "predicate": {
                JsonNode r = c.get("record");
                JsonConverter k = json(c.get("key.converter"), true), v = json(c.get("value.converter"), false);
                String topic = r.path("topic").asText("t");
                SchemaAndValue kk = k.toConnectData(topic, bytes(r.get("key"))), vv = v.toConnectData(topic, bytes(r.get("value")));
                ConnectHeaders hs = new ConnectHeaders();
                if (r.has("headers")) for (JsonNode x : r.get("headers")) hs.add(x.get(0).asText(), h.toConnectData(topic, bytes(x.get(1))));
                Long ts = r.has("timestamp") ? r.get("timestamp").asLong() : null;
                ConnectRecord rec = c.path("sink").asBoolean(false)
                    ? new SinkRecord(topic, r.path("partition").asInt(0), kk.schema(), kk.value(), vv.schema(), vv.value(), r.path("offset").asLong(0), ts, org.apache.kafka.common.record.TimestampType.CREATE_TIME, hs)
                    : new SourceRecord(Map.of(), Map.of(), topic, null, kk.schema(), kk.value(), vv.schema(), vv.value(), ts, hs);
                Object t = configurable(c.get("class").asText(), c.get("config"));
                if (op.equals("predicate")) return BooleanNode.valueOf(((Predicate) t).test(rec));
                return record(((Transformation) t).apply(rec), json(c.has("out.converter") ? c.get("out.converter") : c.get("key.converter"), true), json(c.has("out.converter") ? c.get("out.converter") : c.get("value.converter"), false), h);
            }
            case "double": return new TextNode(Double.toString(Double.longBitsToDouble(c.get("bits").asLong())));
            case "float": return new TextNode(Float.toString(Float.intBitsToFloat(c.get("bits").asInt())));
        }
        throw new IllegalArgumentException(op);
    }
    public static void main(String[] a) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream o = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
        for (String l; (l = in.readLine()) != null; ) {
            if (l.isBlank()) continue;
            ObjectNode c = (ObjectNode) M.readTree(l);
            try { c.set("out", run(c)); }
            catch (Throwable e) {
                Throwable x = e instanceof java.lang.reflect.InvocationTargetException ? e.getCause() : e;
                c.put("error", x.getClass().getSimpleName() + ": " + x.getMessage());
            }
            o.println(M.writeValueAsString(c));
        }
        o.flush();
    }
}
