#!/usr/bin/env python3
"""kafka-python behind the contract of README.md."""

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from jobs import Gathering, each, serve, to_bytes


def write(bootstrap, job):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", linger_ms=20, max_request_size=4 << 20, request_timeout_ms=20000,
        compression_type=None if job["codec"] == "none" else job["codec"], enable_idempotence=job["idempotence"])
    try:
        sent = [
            producer.send(
                job["topic"], value=to_bytes(record["value"]), key=to_bytes(record["key"]), partition=0,
                headers=[(name, to_bytes(value)) for name, value in record["headers"]], timestamp_ms=record["timestamp"])
            for record in job["records"]]
        producer.flush(timeout=40)
        return {"offsets": [one.get(timeout=10).offset for one in sent]}
    finally:
        producer.close(timeout=5)


def read(bootstrap, jobs):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, group_id=None, max_partition_fetch_bytes=4 << 20)
    gathering = Gathering(jobs)
    partitions = [TopicPartition(topic, 0) for topic in gathering.wanted]
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    while gathering.goes_on():
        for partition, messages in consumer.poll(timeout_ms=200).items():
            for message in messages:
                gathering.add(partition.topic, message.offset, message.timestamp, message.key, message.value, message.headers)
    consumer.close()
    return gathering.answers()


serve(lambda: f"kafka-python {kafka.__version__}", each(write), read)
