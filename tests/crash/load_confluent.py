#!/usr/bin/env python3
"""Writes numbered records until its input closes, and prints "NUMBER PARTITION OFFSET" for each that was acknowledged.
usage: load_confluent.py BOOTSTRAP TOPIC PARTITIONS IDEMPOTENCE CODEC"""

import sys
import time

from confluent_kafka import Producer

from load import end_of_input, value_of

bootstrap, topic, partitions, idempotence, codec = sys.argv[1:6]
stop = end_of_input()
fatal = []


def on_error(error):
    if error.fatal():
        fatal.append(error)


producer = Producer({
    "bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": idempotence == "true", "compression.type": codec,
    "linger.ms": 5, "message.timeout.ms": 0, "retries": 2147483647, "retry.backoff.ms": 20, "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 100, "topic.metadata.refresh.interval.ms": 1000, "queue.buffering.max.messages": 2000,
    "error_cb": on_error, "log_level": 0,
})


def report(number):
    def delivered(error, message):
        if error:
            print(f"error {number} {error}", flush=True)
        else:
            print(f"{number} {message.partition()} {message.offset()}", flush=True)
    return delivered


number = 0
while not stop.is_set() and not fatal:
    try:
        producer.produce(topic, key=str(number), value=value_of(topic, number), partition=number % int(partitions), on_delivery=report(number))
        number += 1
    except BufferError:
        pass
    producer.poll(0)
    time.sleep(0.003)
left = producer.flush(60)
if left or fatal:
    print(f"error {number} {left} undelivered {fatal}", flush=True)
print("done", flush=True)
