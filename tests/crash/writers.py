"""Clients that write under load and keep count of what was acknowledged, and what must then be in their topics."""

import subprocess
import threading
import time

from load import value_of


class Writer:
    """A client process, and what it says was acknowledged."""

    def __init__(self, topic, command, bootstrap, partitions, idempotence, codec):
        self.topic = topic
        self.idempotence = idempotence
        self.acknowledged = {}
        self.errors = []
        self.done = False
        self.process = subprocess.Popen(
            [*command, bootstrap, topic, str(partitions), "true" if idempotence else "false", codec],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            words = line.split()
            if words[0] == "error":
                self.errors.append(line.strip())
            elif words[0] == "done":
                self.done = True
            else:
                self.acknowledged[int(words[0])] = (int(words[1]), int(words[2]))

    def finish(self):
        self.process.stdin.close()
        try:
            self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.errors.append("did not finish")
        self.thread.join()
        if not self.done:
            self.errors.append("ended early")


class Ending:
    """Whatever happens, no writer stays behind."""

    def __init__(self, writers):
        self.writers = writers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for writer in self.writers:
            if writer.process.poll() is None:
                writer.process.kill()
                writer.process.wait()


def read_all(bootstrap, topic, partitions):
    """{partition: {offset: (key, value)}} of everything there is."""
    from confluent_kafka import Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False,
                         "auto.offset.reset": "error", "isolation.level": "read_uncommitted"})
    places = [TopicPartition(topic, number, 0) for number in range(partitions)]
    ends = {p.partition: consumer.get_watermark_offsets(p, timeout=20)[1] for p in places}
    consumer.assign([p for p in places if ends[p.partition] > 0])
    found = {number: {} for number in range(partitions)}
    deadline = time.monotonic() + 120
    while any(max(found[p], default=-1) + 1 < end for p, end in ends.items()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{topic}: reading stopped at { {p: max(found[p], default=-1) for p in ends} } of {ends}")
        message = consumer.poll(0.5)
        if message is not None and not message.error():
            found[message.partition()][message.offset()] = (message.key().decode(), message.value().decode())
    consumer.close()
    return found


def verify(writer, found):
    """Everything that is wrong with what one writer's topic holds."""
    wrong = []
    for number, (partition, offset) in sorted(writer.acknowledged.items()):
        record = found[partition].get(offset)
        if record is None:
            wrong.append(f"lost: record {number}, acknowledged at {partition}:{offset}")
        elif record != (str(number), value_of(writer.topic, number)):
            wrong.append(f"changed: record {number} at {partition}:{offset} is record {record[0]}")
    for partition, records in found.items():
        numbers = [int(key) for _, (key, _value) in sorted(records.items())]
        for (key, value) in records.values():
            if value != value_of(writer.topic, int(key)):
                wrong.append(f"changed: a record {key} in partition {partition}")
        if writer.idempotence and numbers != sorted(set(numbers)):
            twice = len(numbers) - len(set(numbers))
            wrong.append(f"partition {partition} of an idempotent writer has {twice} duplicates"
                         + ("" if twice else ", or is out of order"))
        if sorted(records) != list(range(len(records))):
            wrong.append(f"partition {partition} has gaps in its offsets")
    return wrong
