// Judges messages with the classes that Kafka generates from its own schemas. Reads questions from standard input, one a
// line, and answers each with a line. Bytes are hex behind an x; KIND is request, response, record (with its frame),
// control, group_key or group_value (of __consumer_offsets, with the type or the version in front); KEY an API key or a
// record's type.
//
//   range KIND KEY                  -> oldest and newest version
//   keys record                     -> every type of a metadata record
//   check KIND KEY VERSION BYTES    -> what Kafka writes after reading, how many bytes it left over, and the same
//                                      message with unknown tagged fields in every struct (- if there is no place for them)
//   fill KIND KEY VERSION SEED      -> a message at random from Kafka's schema, unknown tagged fields included, and the
//                                      same as its class writes it without them
//   anything that fails             -> error and the exception
//
// Run: java -cp 'LIBS/*' WireOracle.java, where LIBS has kafka-clients, kafka-metadata, kafka-group-coordinator and kafka-server-common.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.EndTxnMarker;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;

public class WireOracle {
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        var out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line; (line = in.readLine()) != null; ) {
            String answer;
            try {
                answer = answer(line.split(" "));
            } catch (Exception e) {
                answer = "error " + String.valueOf(e).replace('\n', ' ');
            }
            out.println(answer);
        }
        out.flush();
    }

    static String answer(String[] words) throws Exception {
        if (words[0].equals("keys")) {
            return Arrays.stream(MetadataRecordType.values()).map(t -> "" + t.id()).collect(Collectors.joining(" "));
        }
        var kind = new Kind(words[1], Short.parseShort(words[2]));
        if (words[0].equals("range")) {
            Message message = kind.blank();
            return message.lowestSupportedVersion() + " " + message.highestSupportedVersion();
        }
        short version = Short.parseShort(words[3]);
        if (words[0].equals("check")) {
            var bytes = ByteBuffer.wrap(HexFormat.of().parseHex(words[4].substring(1)));
            Message message = kind.read(bytes, version);
            String again = kind.write(message, version);
            if (!kind.flexible(version)) return again + " " + bytes.remaining() + " -";
            var random = new Random(bytes.capacity());
            everyPart(message, part -> addUnknown(part, random, version));
            return again + " " + bytes.remaining() + " " + kind.write(message, version);
        }
        var filled = kind.fill(new Random(Long.parseLong(words[4])), version);
        String bytes = hex(filled);
        Message message = kind.read(filled, version);
        if (filled.hasRemaining()) return "error left over " + filled.remaining();
        everyPart(message, part -> part.unknownTaggedFields().clear());
        return bytes + " " + kind.write(message, version);
    }

    // A sort of message: where its class, its schema and its surroundings come from.
    record Kind(String name, short key) {
        Message blank() {
            switch (name) {
                case "request": return ApiMessageType.fromApiKey(key).newRequest();
                case "response": return ApiMessageType.fromApiKey(key).newResponse();
                case "group_key": return (Message) CoordinatorRecordType.fromId(key).newRecordKey();
                case "group_value": return (Message) CoordinatorRecordType.fromId(key).newRecordValue();
                case "record": return MetadataRecordType.fromId(key).newMetadataRecord();
                default:
                    switch (key) {
                        case 1: return new EndTxnMarker();
                        case 2: return new LeaderChangeMessage();
                        case 3: return new SnapshotHeaderRecord();
                        case 4: return new SnapshotFooterRecord();
                        case 5: return new KRaftVersionRecord();
                        case 6: return new VotersRecord();
                    }
            }
            throw new IllegalArgumentException(name + " " + key);
        }

        Schema schema(short version) {
            return schemaOf(blank(), version);
        }

        boolean flexible(short version) {
            var fields = schema(version).fields();
            return fields.length > 0 && fields[fields.length - 1].def.type instanceof TaggedFields;
        }

        Message read(ByteBuffer bytes, short version) {
            var message = blank();
            if (name.equals("record")) {
                expect(1, ByteUtils.readUnsignedVarint(bytes));
                expect(key, ByteUtils.readUnsignedVarint(bytes));
                expect(version, ByteUtils.readUnsignedVarint(bytes));
            }
            if (name.equals("group_key")) expect(key, bytes.getShort());
            if (name.equals("group_value")) expect(version, bytes.getShort());
            if (message instanceof EndTxnMarker) endTxnVersion = bytes.getShort();  // Stands before the message.
            message.read(new ByteBufferAccessor(bytes), version);
            return message;
        }

        String write(Message message, short version) {
            var body = MessageUtil.toByteBufferAccessor(message, version).buffer();
            var whole = ByteBuffer.allocate(body.remaining() + 20);
            prefix(whole, version);
            return hex(whole.put(body).flip());
        }

        ByteBuffer fill(Random random, short version) {
            Struct struct = (Struct) value(schema(version), random, 0);
            var bytes = ByteBuffer.allocate(struct.sizeOf() + 20);
            endTxnVersion = (short) random.nextInt();
            prefix(bytes, version);
            struct.writeTo(bytes);
            return bytes.flip();
        }

        private void prefix(ByteBuffer bytes, short version) {
            if (name.equals("control") && key == 1) bytes.putShort(endTxnVersion);
            if (name.equals("group_key")) bytes.putShort(key);
            if (name.equals("group_value")) bytes.putShort(version);
            if (!name.equals("record")) return;
            ByteUtils.writeUnsignedVarint(1, bytes);
            ByteUtils.writeUnsignedVarint(key, bytes);
            ByteUtils.writeUnsignedVarint(version, bytes);
        }
    }

    static short endTxnVersion;

    static void expect(int expected, int actual) {
        if (expected != actual) throw new IllegalArgumentException("frame: " + actual + " instead of " + expected);
    }

    static String hex(ByteBuffer bytes) {
        return "x" + HexFormat.of().formatHex(bytes.array(), bytes.position(), bytes.limit());
    }

    // Calls back for a message and every struct in it.
    static void everyPart(Object object, Consumer<Message> visit) throws Exception {
        if (object instanceof Collection<?> collection) {
            for (var element : collection) everyPart(element, visit);
        } else if (object instanceof Message message) {
            visit.accept(message);
            for (Field field : message.getClass().getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers()) || field.getName().startsWith("_")) continue;
                field.setAccessible(true);
                everyPart(field.get(message), visit);
            }
        }
    }

    static Schema schemaOf(Message part, short version) {
        try {
            return ((Schema[]) part.getClass().getField("SCHEMAS").get(null))[version];
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static void addUnknown(Message part, Random random, short version) {
        if (schemaOf(part, version) == null) return;  // A struct that this version does not have.
        int tag = 20;
        for (int i = random.nextInt(3); i > 0; --i) {
            tag += 1 + random.nextInt(1 << random.nextInt(20));
            part.unknownTaggedFields().add(new RawTaggedField(tag, bytes(random, 200)));
        }
    }

    static byte[] bytes(Random random, int bound) {
        byte[] bytes = new byte[random.nextInt(bound)];
        random.nextBytes(bytes);
        return bytes;
    }

    static Object value(Type type, Random random, int depth) {
        if (type.isNullable() && random.nextInt(3) == 0) return null;
        if (type instanceof TaggedFields tagged) {
            var fields = new TreeMap<Integer, Object>();
            tagged.fields().forEach((tag, field) -> {
                if (!random.nextBoolean()) return;
                Object inside = value(field.type, random, depth + 1);
                // Kafka's Schema writes a null struct in a tag as a byte -1, which its own classes do not read.
                if (inside != null || !(field.type instanceof Schema)) fields.put(tag, inside);
            });
            if (random.nextInt(4) == 0) fields.put(100 + random.nextInt(1000), new RawTaggedField(0, bytes(random, 20)));
            return fields;
        }
        if (type instanceof Schema schema) {  // A NullableSchema is one as well.
            var struct = new Struct(schema);
            for (BoundField field : schema.fields()) struct.set(field, value(field.def.type, random, depth + 1));
            return struct;
        }
        if (type.isArray()) {
            Object[] elements = new Object[depth < 2 && random.nextInt(10) == 0 ? random.nextInt(200) : random.nextInt(4)];
            for (int i = 0; i < elements.length; ++i) elements[i] = value(type.arrayElementType().get(), random, depth + 1);
            return elements;
        }
        long number = random.nextInt(4) == 0 ? random.nextInt(3) - 1 : random.nextLong() >> random.nextInt(64);
        String name = ((Type.DocumentedType) type).typeName();
        switch (name) {
            case "BOOLEAN": return random.nextBoolean();
            case "INT8": return (byte) number;
            case "INT16": return (short) number;
            case "UINT16": return (int) (number & 0xffff);
            case "INT32": return (int) number;
            case "INT64": return number;
            case "FLOAT64": return (double) number / 3;
            case "UUID": return random.nextInt(4) == 0 ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
        }
        if (name.endsWith("STRING")) {
            int[] points = random.ints(random.nextInt(20), 0, 5).map(i -> List.of(0x61, 0x20, 0xe9, 0x20ac, 0x1f980).get(i)).toArray();
            return new String(points, 0, points.length);
        }
        var bytes = ByteBuffer.wrap(bytes(random, 300));
        return name.endsWith("RECORDS") ? MemoryRecords.readableRecords(bytes) : bytes;
    }
}
