#!/usr/bin/env python3
"""kafka-python as a writer under load. See load_confluent.py."""

import logging
import sys
import time

from kafka import KafkaProducer

from load import end_of_input, value_of

bootstrap, topic, partitions, idempotence, codec = sys.argv[1:6]
stop = end_of_input()
logging.getLogger("kafka").setLevel(logging.CRITICAL)
producer = KafkaProducer(
    bootstrap_servers=bootstrap, acks="all", enable_idempotence=idempotence == "true", compression_type=None if codec == "none" else codec,
    linger_ms=5, delivery_timeout_ms=2**31 - 1, retry_backoff_ms=20, reconnect_backoff_ms=10, reconnect_backoff_max_ms=100)

number = 0
while not stop.is_set():
    sent = producer.send(topic, key=str(number).encode(), value=value_of(topic, number).encode(), partition=number % int(partitions))
    sent.add_callback(lambda where, mine=number: print(f"{mine} {where.partition} {where.offset}", flush=True))
    sent.add_errback(lambda problem, mine=number: print(f"error {mine} {problem!r}", flush=True))
    number += 1
    time.sleep(0.003)
producer.flush(timeout=60)
producer.close(timeout=10)
print("done", flush=True)
