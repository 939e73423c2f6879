#!/bin/bash
# Hands one log directory back and forth between rafka's metadata code and Apache Kafka's own programs:
#
#   tests/metadata/beside_kafka.sh BUILD/tests/metadata/metadata_directory 'KAFKA/libs/*'
#
# rafka formats and writes, Kafka's tools read it, Kafka starts on it and writes, rafka reads that and writes a snapshot,
# Kafka starts on the snapshot. Then the other way round: a directory that Kafka formatted, with all its features.
set -euo pipefail

rafka=$(realpath "$1")
class_path=$2
work=$(mktemp -d)
kafka_pid=
port=$((20000 + RANDOM % 10000 * 2))
trap '[ -z "$kafka_pid" ] || kill -9 "$kafka_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

die() { echo "beside_kafka: $*" >&2; [ ! -f "$work/kafka.log" ] || tail -n 30 "$work/kafka.log" >&2; exit 1; }
java_tool() { timeout 120 java -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$class_path" "$@"; }
topics() { java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "localhost:$port" "$@"; }
rafka_on() { local directory=$1; shift; timeout 60 "$rafka" "$directory" "$port" $((port + 1)) "$@" 2>>"$work/rafka.log" || die "rafka failed: $(tail -n 1 "$work/rafka.log")"; }

properties() {
    cat > "$work/kafka.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:$((port + 1))
listeners=PLAINTEXT://localhost:$port,CONTROLLER://localhost:$((port + 1))
advertised.listeners=PLAINTEXT://localhost:$port,CONTROLLER://localhost:$((port + 1))
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
log.dirs=$1
END
}
start_kafka() {
    properties "$1"
    timeout 240 java -Xmx512m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$class_path" kafka.Kafka "$work/kafka.properties" > "$work/kafka.log" 2>&1 &
    kafka_pid=$!
    for _ in $(seq 120); do
        kill -0 "$kafka_pid" 2>/dev/null || die "Kafka ended"
        if (exec 3<>"/dev/tcp/localhost/$port") 2>/dev/null; then return; fi
        sleep 0.5
    done
    die "Kafka does not listen"
}
stop_kafka() {
    kill -TERM "$kafka_pid"
    wait "$kafka_pid" || true
    kafka_pid=
    ! grep -E 'FATAL|ERROR.*(fault|Exception)' "$work/kafka.log" || die "Kafka complained"
}
decode() {
    local out
    out=$(java_tool org.apache.kafka.tools.DumpLogSegments --cluster-metadata-decoder --deep-iteration --files "$1") || die "the decoder failed on $1"
    ! grep -E 'isvalid: false|Could not decode|Found invalid|payload: *$' <<< "$out" || die "the decoder complains of $1"
    echo "$out"
}
expect() { grep -qE "$2" <<< "$1" || die "expected $2 in: $1"; }

ours=$work/ours
rafka_on "$ours" create alpha 3 set alpha retention.ms 99 create gone 1 delete gone
expect "$(decode "$ours/__cluster_metadata-0/00000000000000000000.log")" '"TOPIC_RECORD".*"alpha"'
expect "$(decode "$ours/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint")" 'KRaftVoters'
expect "$(decode "$ours/bootstrap.checkpoint")" '"metadata.version","featureLevel":30'
echo "Kafka's tools read what rafka wrote"

start_kafka "$ours"
described=$(topics --describe)
expect "$described" 'alpha.*PartitionCount: 3.*retention.ms=99'
[[ $described != *gone* ]] || die "a deleted topic came back"
topics --create --topic by-kafka --partitions 2 > /dev/null
stop_kafka
shown=$(rafka_on "$ours" create by-rafka 1 show)
expect "$shown" '^topic alpha .* 1/[0-9]+ 1/[0-9]+ 1/[0-9]+$'
expect "$shown" '^topic by-kafka .* 1/[0-9]+ 1/[0-9]+$'
echo "Kafka starts on rafka's directory, rafka on what Kafka left"

rafka_on "$ours" snapshot create after-snapshot 1
expect "$(decode "$(ls "$ours"/__cluster_metadata-0/*.checkpoint | tail -n 1)")" 'SnapshotFooter'
start_kafka "$ours"
described=$(topics --describe)
for topic in alpha by-kafka by-rafka after-snapshot; do expect "$described" "Topic: $topic"; done
stop_kafka
echo "Kafka starts on rafka's snapshot"

theirs=$work/theirs
properties "$theirs"
java_tool kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$work/kafka.properties" --standalone > /dev/null
cp -r "$theirs" "$work/unused"
shown=$(rafka_on "$work/unused" create first 1 show)
expect "$shown" 'feature transaction.version 2'
expect "$shown" "config 4 '' min.insync.replicas=1"
start_kafka "$theirs"
topics --create --topic theirs --partitions 2 --config cleanup.policy=compact > /dev/null
stop_kafka
shown=$(rafka_on "$theirs" create ours 1 show)
expect "$shown" '^topic theirs .* 1/[0-9]+ 1/[0-9]+$'
expect "$shown" "config 2 'theirs' cleanup.policy=compact"
expect "$shown" 'feature share.version 1'
start_kafka "$theirs"
expect "$(topics --describe)" 'Topic: ours'
stop_kafka
echo "rafka opens Kafka's directory, with all its features, and gives it back"
