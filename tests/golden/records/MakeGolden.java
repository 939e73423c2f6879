// Writes batches and side files as Apache Kafka 4.3.1 makes them, for tests/engine.
// java -cp "$KAFKA/libs/*" MakeGolden.java DIRECTORY

import java.io.File;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.storage.internals.checkpoint.*;
import org.apache.kafka.storage.internals.log.*;

public class MakeGolden {
    static byte[] bytes(String s) { return s.getBytes(StandardCharsets.UTF_8); }

    static String hex(ByteBuffer b) {
        StringBuilder s = new StringBuilder();
        for (b = b.duplicate(); b.hasRemaining(); ) s.append(String.format("%02x", b.get()));
        return s.toString();
    }

    static MemoryRecordsBuilder builder(Compression compression, TimestampType type, long baseOffset, long pid, short epoch,
                                        int sequence, boolean transactional, boolean control) {
        return new MemoryRecordsBuilder(ByteBuffer.allocate(1 << 20), (byte) 2, compression, type, baseOffset, 1700000000777L,
            pid, epoch, sequence, transactional, control, 7, 1 << 20);
    }

    static String mixed(Compression compression, TimestampType type) {
        MemoryRecordsBuilder b = builder(compression, type, 0, -1, (short) -1, -1, false, false);
        b.append(1700000000000L, bytes("k0"), bytes("v0"));
        b.append(1699999999995L, null, bytes("v1"), new Header[] {
            new RecordHeader("h1", bytes("x")), new RecordHeader("h2", (byte[]) null), new RecordHeader("", bytes("")),
            new RecordHeader("\u00fc", bytes("\u00e9"))});
        b.append(1700000000009L, bytes("k2"), null);
        b.append(1700000000001L, bytes(""), bytes(""));
        b.append(1700000000002L, bytes("k4"), bytes("abc".repeat(100)));
        return hex(b.build().buffer());
    }

    static String big(Compression compression) {
        MemoryRecordsBuilder b = builder(compression, TimestampType.CREATE_TIME, 0, -1, (short) -1, -1, false, false);
        byte[] value = new byte[100000];
        for (int i = 0; i < value.length; i++) value[i] = (byte) (i % 7);
        b.append(5L, bytes("a"), value);
        b.append(6L, bytes("b"), value);
        return hex(b.build().buffer());
    }

    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        Map<String, Compression> codecs = new LinkedHashMap<>();
        codecs.put("none", Compression.NONE);
        codecs.put("gzip", Compression.gzip().build());
        codecs.put("snappy", Compression.snappy().build());
        codecs.put("lz4", Compression.lz4().build());
        codecs.put("zstd", Compression.zstd().build());
        try (PrintWriter out = new PrintWriter(dir.resolve("batches.txt").toFile())) {
            for (var codec : codecs.entrySet()) out.println("mixed-" + codec.getKey() + " " + mixed(codec.getValue(), TimestampType.CREATE_TIME));
            for (var codec : codecs.entrySet()) {
                if (codec.getValue() != Compression.NONE) out.println("big-" + codec.getKey() + " " + big(codec.getValue()));
            }
            out.println("append-time " + mixed(Compression.NONE, TimestampType.LOG_APPEND_TIME));
            MemoryRecordsBuilder b = builder(Compression.NONE, TimestampType.CREATE_TIME, 0, 4711, (short) 3, Integer.MAX_VALUE - 1, false, false);
            for (int i = 0; i < 4; i++) b.append(10L + i, null, bytes("" + i));
            out.println("idempotent " + hex(b.build().buffer()));
            b = builder(Compression.NONE, TimestampType.CREATE_TIME, 100, 4711, (short) 3, 0, true, false);
            b.append(10L, null, bytes("t"));
            out.println("transactional " + hex(b.build().buffer()));
            out.println("abort " + hex(MemoryRecords.withEndTransactionMarker(101, 12L, 7, 4711, (short) 3,
                new EndTransactionMarker(ControlRecordType.ABORT, 9)).buffer()));
            out.println("commit " + hex(MemoryRecords.withEndTransactionMarker(101, 12L, 7, 4711, (short) 3,
                new EndTransactionMarker(ControlRecordType.COMMIT, 9)).buffer()));
            ByteBuffer empty = ByteBuffer.allocate(61);
            DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, 4711, (short) 3, 17, 200, 209, 7, TimestampType.CREATE_TIME, 99, false, false);
            empty.flip();
            out.println("empty " + hex(empty));
        }

        Map<Long, ProducerStateEntry> producers = new LinkedHashMap<>();
        File snapshot = dir.resolve("first.snapshot").toFile();
        // Entries are made by reading what the format says: their class has no public way to add a batch.
        ProducerStateEntry marker = new ProducerStateEntry(5, (short) 2, 11, 1700000000123L, OptionalLong.empty());
        ProducerStateEntry open = new ProducerStateEntry(4711, (short) 3, -1, 1700000000456L, OptionalLong.of(40));
        var add = ProducerStateEntry.class.getDeclaredMethod("addBatch", short.class, int.class, long.class, int.class, long.class);
        add.setAccessible(true);
        add.invoke(open, (short) 3, 8, 48L, 4, 1700000000455L);
        add.invoke(open, (short) 3, 9, 49L, 0, 1700000000456L);
        producers.put(5L, marker);
        producers.put(4711L, open);
        ProducerStateManager.writeSnapshot(snapshot, producers, false);
        try (PrintWriter out = new PrintWriter(dir.resolve("snapshot.txt").toFile())) {
            out.println("snapshot " + hex(ByteBuffer.wrap(Files.readAllBytes(snapshot.toPath()))));
        }
        snapshot.delete();

        File aborted = dir.resolve("first.txnindex").toFile();
        TransactionIndex index = new TransactionIndex(100, aborted);
        index.append(new AbortedTxn(4711, 90, 105, 99));
        index.append(new AbortedTxn(5, 99, 9000000000L, 9000000001L));
        index.close();
        try (PrintWriter out = new PrintWriter(dir.resolve("transactions.txt").toFile())) {
            out.println("index " + hex(ByteBuffer.wrap(Files.readAllBytes(aborted.toPath()))));
        }
        aborted.delete();

        File offsets = dir.resolve("recovery-point-offset-checkpoint").toFile();
        Map<TopicPartition, Long> map = new LinkedHashMap<>();
        map.put(new TopicPartition("a-topic.of_mine", 12), 9000000000L);
        map.put(new TopicPartition("b", 0), 0L);
        new OffsetCheckpointFile(offsets, null).write(map);
        new LeaderEpochCheckpointFile(dir.resolve("leader-epoch-checkpoint").toFile(), null)
            .write(List.of(new EpochEntry(0, 0), new EpochEntry(3, 17), new EpochEntry(4, 9000000000L)));
        PartitionMetadataFile metadata = new PartitionMetadataFile(dir.resolve("partition.metadata").toFile(), null);
        metadata.record(Uuid.fromString("4L6g3nShT-eMCtK--X86sw"));
        metadata.maybeFlush();
    }
}
