#!/usr/bin/env python3
"""aiokafka behind the contract of README.md."""

import asyncio

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from jobs import Gathering, each, serve, to_bytes


async def write(bootstrap, job):
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", linger_ms=20, max_request_size=4 << 20, request_timeout_ms=20000,
        compression_type=None if job["codec"] == "none" else job["codec"], enable_idempotence=job["idempotence"])
    await producer.start()
    try:
        sent = [
            await producer.send(
                job["topic"], value=to_bytes(record["value"]), key=to_bytes(record["key"]), partition=0,
                headers=[(name, to_bytes(value)) for name, value in record["headers"]], timestamp_ms=record["timestamp"])
            for record in job["records"]]
        return {"offsets": [one.offset for one in await asyncio.wait_for(asyncio.gather(*sent), 40)]}
    finally:
        await producer.stop()


async def read(bootstrap, jobs):
    gathering = Gathering(jobs)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, group_id=None, max_partition_fetch_bytes=4 << 20)
    await consumer.start()
    partitions = [TopicPartition(topic, 0) for topic in gathering.wanted]
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    while gathering.goes_on():
        for partition, messages in (await consumer.getmany(timeout_ms=200)).items():
            for message in messages:
                gathering.add(partition.topic, message.offset, message.timestamp, message.key, message.value, message.headers)
    await consumer.stop()
    return gathering.answers()


serve(
    lambda: f"aiokafka {aiokafka.__version__}", each(lambda bootstrap, job: asyncio.run(write(bootstrap, job))),
    lambda bootstrap, jobs: asyncio.run(read(bootstrap, jobs)))
