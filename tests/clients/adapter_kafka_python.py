#!/usr/bin/env python3
"""kafka-python behind the contract of README.md."""

import base64
import json
import sys
import time

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def to_bytes(text):
    return None if text is None else base64.b64decode(text)


def to_text(data):
    return None if data is None else base64.b64encode(data).decode()


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
    wanted = {job["topic"]: job["count"] for job in jobs}
    records = {topic: [] for topic in wanted}
    partitions = [TopicPartition(topic, 0) for topic in wanted]
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    left = sum(wanted.values())
    deadline = time.monotonic() + 60
    while left > 0 and time.monotonic() < deadline:
        for partition, messages in consumer.poll(timeout_ms=200).items():
            left -= len(messages)
            for message in messages:
                records[partition.topic].append({
                    "offset": message.offset, "timestamp": message.timestamp, "key": to_text(message.key),
                    "value": to_text(message.value),
                    "headers": [[name, to_text(value)] for name, value in message.headers],
                })
    consumer.close()
    for topic in wanted:
        yield {"topic": topic, "records": records[topic]}


def main():
    verb, bootstrap = sys.argv[1:3]
    if verb == "version":
        print(f"kafka-python {kafka.__version__}")
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
