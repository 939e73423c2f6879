#!/usr/bin/env python3
"""librdkafka, through confluent-kafka, behind the contract of README.md. Which librdkafka it is, the interpreter decides."""

import base64
import json
import sys
import time

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition


def to_bytes(text):
    return None if text is None else base64.b64decode(text)


def to_text(data):
    return None if data is None else base64.b64encode(data).decode()


def write(bootstrap, job):
    producer = Producer({
        "bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 20, "message.max.bytes": 4 << 20,
        "message.timeout.ms": 30000, "compression.type": job["codec"], "enable.idempotence": job["idempotence"],
    })
    offsets = [None] * len(job["records"])
    errors = []

    def report(index):
        def delivered(error, message):
            if error:
                errors.append(str(error))
            else:
                offsets[index] = message.offset()
        return delivered

    for index, record in enumerate(job["records"]):
        options = {}
        if record["timestamp"] is not None:
            options["timestamp"] = record["timestamp"]
        producer.produce(
            job["topic"], value=to_bytes(record["value"]), key=to_bytes(record["key"]), partition=0,
            headers=[(name, to_bytes(value)) for name, value in record["headers"]], on_delivery=report(index), **options)
    left = producer.flush(40)
    if left or errors:
        raise RuntimeError(f"{left} undelivered, {errors[:3]}")
    return {"offsets": offsets}


def read(bootstrap, jobs):
    """One consumer for all topics: starting one takes longer than reading."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False, "auto.offset.reset": "error",
        "fetch.message.max.bytes": 4 << 20,
    })
    wanted = {job["topic"]: job["count"] for job in jobs}
    records = {topic: [] for topic in wanted}
    errors = {}
    consumer.assign([TopicPartition(topic, 0, 0) for topic in wanted])
    left = sum(wanted.values())
    deadline = time.monotonic() + 60
    while left > 0 and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error():
            errors[message.topic()] = str(message.error())
            continue
        left -= 1
        records[message.topic()].append({
            "offset": message.offset(), "timestamp": message.timestamp()[1], "key": to_text(message.key()),
            "value": to_text(message.value()),
            "headers": [[name, to_text(value)] for name, value in message.headers() or []],
        })
    consumer.close()
    for topic, count in wanted.items():
        if len(records[topic]) < count:
            yield {"topic": topic, "error": f"{len(records[topic])} records of {count}; {errors.get(topic, errors.get(None))}"}
        else:
            yield {"topic": topic, "records": records[topic]}


def main():
    verb, bootstrap = sys.argv[1:3]
    if verb == "version":
        print(f"librdkafka {confluent_kafka.libversion()[0]}")
        return
    jobs = [json.loads(line) for line in sys.stdin]
    if verb == "read":
        for answer in read(bootstrap, jobs):
            print(json.dumps(answer), flush=True)
        return
    for job in jobs:
        try:
            answer = write(bootstrap, job)
        except Exception as problem:  # Whatever it is, the matrix must hear of it.
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps({"topic": job["topic"], **answer}), flush=True)


main()
