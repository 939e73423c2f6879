// The Java client as a writer under load. See load_confluent.py.

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class Load {
    static volatile boolean stop = false;

    static String valueOf(String topic, long number) {
        return topic + " " + number + " " + String.valueOf((char) ('a' + number % 26)).repeat((int) (number * 7919 % 3000));
    }

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        int partitions = Integer.parseInt(args[2]);
        Thread watch = new Thread(() -> {
            try {
                while (System.in.read() >= 0) { }
            } catch (java.io.IOException closed) {
                // The same as its end.
            }
            stop = true;
        });
        watch.setDaemon(true);
        watch.start();
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", args[0], "acks", "all", "enable.idempotence", Boolean.valueOf(args[3]), "compression.type", args[4],
            "linger.ms", 5, "delivery.timeout.ms", Integer.MAX_VALUE, "retry.backoff.ms", 20, "reconnect.backoff.ms", 10,
            "reconnect.backoff.max.ms", 100, "max.block.ms", 60000));
        config.put("max.in.flight.requests.per.connection", Integer.getInteger("in.flight", 5));
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (long number = 0; !stop; ++number) {
                final long mine = number;
                producer.send(new ProducerRecord<>(topic, (int) (number % partitions), Long.toString(number), valueOf(topic, number)),
                    (where, problem) -> {
                        synchronized (System.out) {
                            if (problem != null) System.out.println("error " + mine + " " + problem);
                            else System.out.println(mine + " " + where.partition() + " " + where.offset());
                            System.out.flush();
                        }
                    });
                Thread.sleep(3);
            }
        }
        System.out.println("done");
    }
}
