// Drives whichever broker listens at an address, for files_both_ways: producers stay alive while brokers come and go.
// One command a line of JSON on standard input, one answer a line.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class DirectoryAdapter {
    static final ObjectMapper json = new ObjectMapper();
    static final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    static String bootstrap;

    static byte[] bytes(JsonNode node) {
        return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }

    // Short ones as they are, of long ones length and digest.
    static void put(ArrayNode array, byte[] value) throws Exception {
        if (value == null) array.addNull();
        else if (value.length <= 64) array.add(Base64.getEncoder().encodeToString(value));
        else array.add(value.length + ":" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value)));
    }

    static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", 60000, "request.timeout.ms", 20000));
    }

    static KafkaProducer<byte[], byte[]> producer(JsonNode command) {
        return producers.computeIfAbsent(command.get("producer").asText(), name -> {
            Map<String, Object> config = new HashMap<>(Map.of(
                "bootstrap.servers", bootstrap, "acks", "all", "linger.ms", 5, "batch.size", 200_000, "max.request.size", 4 << 20,
                "delivery.timeout.ms", 60000, "request.timeout.ms", 10000, "max.block.ms", 60000, "reconnect.backoff.max.ms", 100));
            // To a topic that it just made, Kafka takes the second batch in flight where the first found no leader yet.
            config.put("max.in.flight.requests.per.connection", 1);
            command.get("config").properties().forEach(entry -> config.put(entry.getKey(), entry.getValue().asText()));
            var made = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
            if (config.containsKey("transactional.id")) made.initTransactions();
            return made;
        });
    }

    // "begin" and "end" ("commit", "abort") are of transactions. The records go out in order.
    static void write(JsonNode command, ObjectNode answer) throws Exception {
        var producer = producer(command);
        if (command.path("begin").asBoolean()) producer.beginTransaction();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode record : command.get("records")) {
            List<Header> headers = new ArrayList<>();
            for (JsonNode header : record.get("headers")) headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1))));
            Long timestamp = record.get("timestamp").isNull() ? null : record.get("timestamp").asLong();
            sent.add(producer.send(new ProducerRecord<>(command.get("topic").asText(), command.get("partition").asInt(), timestamp,
                bytes(record.get("key")), bytes(record.get("value")), headers)));
        }
        producer.flush();
        ArrayNode offsets = answer.putArray("offsets");
        ArrayNode timestamps = answer.putArray("timestamps");
        for (Future<RecordMetadata> one : sent) {
            offsets.add(one.get().offset());
            timestamps.add(one.get().timestamp());
        }
        String end = command.path("end").asText("");
        if (end.equals("commit")) producer.commitTransaction();
        if (end.equals("abort")) producer.abortTransaction();
        if (command.path("close").asBoolean()) producers.remove(command.get("producer").asText()).close();
    }

    // Everything from the log's start to the end that this isolation shows.
    static void read(JsonNode command, ObjectNode answer) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", false, "auto.offset.reset", "none",
            "isolation.level", command.get("isolation").asText(), "max.poll.records", 10000,
            "max.partition.fetch.bytes", command.path("bytes").asInt(1 << 20));
        List<TopicPartition> partitions = new ArrayList<>();
        for (JsonNode one : command.get("partitions")) partitions.add(new TopicPartition(one.get(0).asText(), one.get(1).asInt()));
        Map<TopicPartition, ArrayNode> records = new HashMap<>();
        ArrayNode all = answer.putArray("partitions");
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            Map<TopicPartition, Long> starts = consumer.beginningOffsets(partitions, Duration.ofSeconds(60));
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, Duration.ofSeconds(60));
            for (var partition : partitions) {
                ObjectNode one = all.addObject();
                one.put("start", starts.get(partition));
                one.put("end", ends.get(partition));
                records.put(partition, one.putArray("records"));
                consumer.seek(partition, starts.get(partition));
            }
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p)) && System.nanoTime() < deadline) {
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    ArrayNode shown = records.get(new TopicPartition(record.topic(), record.partition())).addArray();
                    shown.add(record.offset());
                    shown.add(record.timestamp());
                    shown.add(record.timestampType().name);
                    shown.add(record.leaderEpoch().orElse(-1));
                    put(shown, record.key());
                    put(shown, record.value());
                    ArrayNode headers = shown.addArray();
                    for (Header header : record.headers()) {
                        ArrayNode pair = headers.addArray();
                        pair.add(header.key());
                        put(pair, header.value());
                    }
                }
            }
            for (int i = 0; i < partitions.size(); ++i) ((ObjectNode) all.get(i)).put("reached", consumer.position(partitions.get(i)));
        }
    }

    static long offset(Admin admin, TopicPartition partition, OffsetSpec spec, IsolationLevel isolation) throws Exception {
        return admin.listOffsets(Map.of(partition, spec), new ListOffsetsOptions(isolation)).partitionResult(partition).get().offset();
    }

    // What there is: ids, partitions, configs that were set, and answers of ListOffsets.
    static void describe(JsonNode command, ObjectNode answer) throws Exception {
        try (var admin = admin()) {
            ObjectNode topics = answer.putObject("topics");
            var names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
            var described = new TreeMap<>(admin.describeTopics(names).allTopicNames().get());
            var resources = names.stream().map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name)).toList();
            var configs = admin.describeConfigs(resources).all().get();
            for (var topic : described.values()) {
                ObjectNode shown = topics.putObject(topic.name());
                shown.put("id", topic.topicId().toString());
                ObjectNode set = shown.putObject("configs");
                configs.get(new ConfigResource(ConfigResource.Type.TOPIC, topic.name())).entries().stream()
                    .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                    .sorted((a, b) -> a.name().compareTo(b.name())).forEach(entry -> set.put(entry.name(), entry.value()));
                ArrayNode partitions = shown.putArray("partitions");
                for (var info : topic.partitions()) {
                    ObjectNode partition = partitions.addObject();
                    partition.put("leader", info.leader() == null ? -1 : info.leader().id());
                    partition.put("replicas", info.replicas().stream().map(Node::idString).collect(Collectors.joining(",")));
                    partition.put("isr", info.isr().stream().map(Node::idString).collect(Collectors.joining(",")));
                    if (topic.isInternal() || topic.name().startsWith("load-")) continue;
                    var name = new TopicPartition(topic.name(), info.partition());
                    ArrayNode offsets = partition.putArray("offsets");
                    offsets.add(offset(admin, name, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED));
                    offsets.add(offset(admin, name, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED));
                    offsets.add(offset(admin, name, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED));
                    offsets.add(offset(admin, name, OffsetSpec.maxTimestamp(), IsolationLevel.READ_UNCOMMITTED));
                    for (JsonNode time : command.get("times")) {
                        offsets.add(offset(admin, name, OffsetSpec.forTimestamp(time.asLong()), IsolationLevel.READ_UNCOMMITTED));
                        offsets.add(offset(admin, name, OffsetSpec.forTimestamp(time.asLong()), IsolationLevel.READ_COMMITTED));
                    }
                }
            }
        }
    }

    static void administer(JsonNode command) throws Exception {
        try (var admin = admin()) {
            String topic = command.get("topic").asText();
            switch (command.get("do").asText()) {
                case "create" -> {
                    Map<String, String> configs = new HashMap<>();
                    command.get("configs").properties().forEach(entry -> configs.put(entry.getKey(), entry.getValue().asText()));
                    admin.createTopics(List.of(new NewTopic(topic, command.get("partitions").asInt(), (short) 1).configs(configs))).all().get();
                }
                case "delete" -> admin.deleteTopics(List.of(topic)).all().get();
                case "grow" -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(command.get("partitions").asInt()))).all().get();
                case "configure" -> admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(
                    new AlterConfigOp(new ConfigEntry(command.get("name").asText(), command.get("value").asText()), AlterConfigOp.OpType.SET)))).all().get();
                case "delete_records" -> admin.deleteRecords(Map.of(new TopicPartition(topic, command.get("partition").asInt()),
                    RecordsToDelete.beforeOffset(command.get("offset").asLong()))).all().get();
                default -> throw new IllegalArgumentException(command.toString());
            }
        }
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode command = json.readTree(line);
            ObjectNode answer = json.createObjectNode();
            try {
                switch (command.get("do").asText()) {
                    case "write" -> write(command, answer);
                    case "read" -> read(command, answer);
                    case "describe" -> describe(command, answer);
                    case "end" -> {
                        var producer = producers.get(command.get("producer").asText());
                        if (command.get("how").asText().equals("commit")) producer.commitTransaction();
                        else producer.abortTransaction();
                    }
                    default -> administer(command);
                }
            } catch (Exception problem) {
                answer.put("error", problem + (problem.getCause() == null ? "" : " because of " + problem.getCause()));
            }
            out.println(answer);
        }
        // Without their close(), which would wait for a broker that may be gone.
        Runtime.getRuntime().halt(0);
    }
}
