#!/usr/bin/env python3
"""librdkafka, through confluent-kafka, behind the contract of README.md. Which librdkafka it is, the interpreter decides."""

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition

from jobs import Gathering, each, serve, to_bytes


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
    gathering = Gathering(jobs)
    consumer.assign([TopicPartition(topic, 0, 0) for topic in gathering.wanted])
    while gathering.goes_on():
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error():
            gathering.errors[message.topic()] = str(message.error())
            continue
        gathering.add(message.topic(), message.offset(), message.timestamp()[1], message.key(), message.value(), message.headers() or [])
    consumer.close()
    return gathering.answers()


serve(lambda: f"librdkafka {confluent_kafka.libversion()[0]}", each(write), read)
