// The Java client behind the contract of tests/clients/README.md.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

public class ClientAdapter {
    static final ObjectMapper json = new ObjectMapper();
    static final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    static byte[] bytes(JsonNode node) {
        return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }

    static void put(ObjectNode object, String name, byte[] value) {
        if (value == null) object.putNull(name);
        else object.put(name, Base64.getEncoder().encodeToString(value));
    }

    static void write(String bootstrap, JsonNode job) throws Exception {
        Map<String, Object> config = Map.of(
            "bootstrap.servers", bootstrap, "acks", "all", "linger.ms", 20, "max.request.size", 4 << 20,
            "delivery.timeout.ms", 30000, "request.timeout.ms", 20000, "max.block.ms", 20000,
            "compression.type", job.get("codec").asText(), "enable.idempotence", job.get("idempotence").asBoolean());
        ArrayNode offsets = json.createArrayNode();
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (JsonNode record : job.get("records")) {
                List<Header> headers = new ArrayList<>();
                for (JsonNode header : record.get("headers")) {
                    headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1))));
                }
                Long timestamp = record.get("timestamp").isNull() ? null : record.get("timestamp").asLong();
                sent.add(producer.send(new ProducerRecord<>(job.get("topic").asText(), 0, timestamp,
                    bytes(record.get("key")), bytes(record.get("value")), headers)));
            }
            producer.flush();
            for (Future<RecordMetadata> one : sent) offsets.add(one.get().offset());
        }
        ObjectNode answer = json.createObjectNode();
        answer.put("topic", job.get("topic").asText());
        answer.set("offsets", offsets);
        out.println(answer);
    }

    // One consumer for all topics.
    static void read(String bootstrap, List<JsonNode> jobs) {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", false, "max.poll.records", 10000);
        Map<String, ArrayNode> records = new LinkedHashMap<>();
        List<TopicPartition> partitions = new ArrayList<>();
        int left = 0;
        for (JsonNode job : jobs) {
            records.put(job.get("topic").asText(), json.createArrayNode());
            partitions.add(new TopicPartition(job.get("topic").asText(), 0));
            left += job.get("count").asInt();
        }
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            for (var partition : partitions) consumer.seek(partition, 0);
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (left > 0 && System.nanoTime() < deadline) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    ObjectNode shown = records.get(record.topic()).addObject();
                    shown.put("offset", record.offset());
                    shown.put("timestamp", record.timestamp());
                    put(shown, "key", record.key());
                    put(shown, "value", record.value());
                    ArrayNode headers = shown.putArray("headers");
                    for (Header header : record.headers()) {
                        ArrayNode pair = headers.addArray();
                        pair.add(header.key());
                        if (header.value() == null) pair.addNull();
                        else pair.add(Base64.getEncoder().encodeToString(header.value()));
                    }
                    --left;
                }
            }
        }
        for (var entry : records.entrySet()) {
            ObjectNode answer = json.createObjectNode();
            answer.put("topic", entry.getKey());
            answer.set("records", entry.getValue());
            out.println(answer);
        }
    }

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        List<JsonNode> jobs = new ArrayList<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) jobs.add(json.readTree(line));
        if (args[0].equals("version")) {
            out.println("Java client " + AppInfoParser.getVersion());
        } else if (args[0].equals("read")) {
            read(args[1], jobs);
        } else {
            for (JsonNode job : jobs) {
                try {
                    write(args[1], job);
                } catch (Exception problem) {
                    ObjectNode answer = json.createObjectNode();
                    answer.put("topic", job.get("topic").asText());
                    answer.put("error", problem.toString());
                    out.println(answer);
                }
            }
        }
    }
}
