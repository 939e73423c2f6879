#!/bin/sh
# Asks Kafka again: record.sh PROGRAM JARS [ARGUMENT ...]
#
# PROGRAM is build/tests/semantics/semantics, JARS a folder with the jars of kafka_2.13 and what they need. Starts a
# Kafka of its own on loopback, runs PROGRAM against it (ARGUMENT: --record, names of scenarios), and ends it.
set -eu
program=$1 jars=$2
shift 2
port=${PORT:-19392}
dir=$(mktemp -d)
pid=
finish() {
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

cat > "$dir/server.properties" <<END
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://localhost:$port,CONTROLLER://localhost:$((port + 1))
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.bootstrap.servers=localhost:$((port + 1))
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.dirs=$dir/data
END
java="java -Xmx512m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
export CLASSPATH="$jars/*"
$java kafka.tools.StorageTool format -t "$($java kafka.tools.StorageTool random-uuid 2>/dev/null)" \
    -c "$dir/server.properties" --standalone > "$dir/format.txt" 2>&1 || { cat "$dir/format.txt"; exit 1; }
timeout "${LIMIT:-900}" $java kafka.Kafka "$dir/server.properties" > "$dir/kafka.txt" 2>&1 &
pid=$!
for _ in $(seq 120); do
    if "$program" --broker "127.0.0.1:$port" --settle --ping 2>/dev/null; then break; fi
    sleep 0.5
done
"$program" --broker "127.0.0.1:$port" --settle "$@" || { tail -20 "$dir/kafka.txt"; exit 1; }
