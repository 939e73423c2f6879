"""Measurements: one of them, asked of bench/measure, and rounds of them in which every arm has its turn."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

from brokers import BROKER_CORE, CLIENT_CORE, DELETE_DELAY_MS, on_core

STRANGERS_MAX = 0.1  # Of a core, in somebody else's programs: more of it and a round does not count.
LITTLE = 100 << 20


class Failed(Exception):
    pass


class Meter:
    """bench/measure, on the client's core."""

    def __init__(self, program):
        self.program = str(program)

    def arguments(self, verb, options):
        words = [self.program, verb]
        for name, value in options.items():
            words.append("--" + name.replace("_", "-"))
            if value is not True:
                words.append(str(value))
        return words

    def run(self, words):
        with on_core(CLIENT_CORE):
            done = subprocess.run(words, capture_output=True, text=True, timeout=200)
        try:
            answer = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise Failed(f"{' '.join(words)}: {done.stderr.strip()}") from None
        if answer["problem"]:
            raise Failed(f"{' '.join(words)}: {answer['problem']}")
        return answer

    def __call__(self, verb, **options):
        return self.run(self.arguments(verb, options))

    def start(self, port, settle, command):
        """Not pinned: a broker may start on every core."""
        words = [self.program, "start", "--port", str(port), "--settle", str(settle), "--", *command]
        answer = json.loads(subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120).stdout)
        if answer["problem"]:
            raise Failed(answer["problem"])
        return answer

    @contextlib.contextmanager
    def floor(self):
        """The port and pid of a server that does nothing but its share of loopback."""
        words = [self.program, "floor", "--core", str(BROKER_CORE)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield json.loads(process.stdout.readline())
            process.stdin.close()


class Arm:
    """One side of a comparison: a broker, and the configuration of the topics it is measured with."""

    topics = 0

    def __init__(self, meter, broker, configs=()):
        self.meter = meter
        self.broker = broker
        self.configs = configs

    def create(self, topic):
        words = self.meter.arguments("create", {"port": self.broker.port, "topic": topic})
        for config in self.configs:
            words += ["--config", config]
        self.meter.run(words)

    def delete(self, topic, written=0):
        self.meter("delete", port=self.broker.port, topic=topic)
        if written > LITTLE:
            time.sleep(DELETE_DELAY_MS / 1000 + 0.3)  # Until its files are gone: they are not written any more, nor fill the disk.

    def produce(self, topic, **options):
        return self.meter("produce", port=self.broker.port, pid=self.broker.pid, topic=topic, **options)

    def consume(self, topic, **options):
        return self.meter("consume", port=self.broker.port, pid=self.broker.pid, topic=topic, **options)

    def produced(self, **options):
        """A measurement with a topic of its own."""
        with self.broker.awake():
            Arm.topics += 1
            topic = f"measured{Arm.topics:04}"
            self.create(topic)
            result = self.produce(topic, **options)
            self.delete(topic, result["bytes"])
        return result

    def dropped(self, *topics):
        with self.broker.awake():
            for topic in topics:
                self.delete(topic)

    def filled(self, topic, megabytes):
        with self.broker.awake():
            self.create(topic)
            self.produce(topic, batch_bytes=65536, in_flight=8, seconds=180, warmup=0, requests=megabytes * 16)

    def consumed(self, topic, cold=False, **options):
        if cold:
            self.broker.forget_pages()
        with self.broker.awake():
            return self.consume(topic, **options)


class Floor:
    """Measured as an Arm is."""

    def __init__(self, meter, server):
        self.meter = meter
        self.server = server

    def produced(self, **options):
        return self.meter("produce", port=self.server["port"], pid=self.server["pid"], **options)

    def consumed(self, _topic, **options):
        return self.meter("consume", port=self.server["port"], pid=self.server["pid"], **options)


def rounds(count, measurements):
    """`measurements`: by arm, a function that makes one. Every arm has its turn in each round, every other round in the
    opposite order; the first round, and rounds in which strangers took part, are dropped (of these, at most all but two)."""
    kept = []
    for number in range(count):
        names = list(measurements)
        result = {name: measurements[name]() for name in (names if number % 2 == 0 else reversed(names))}
        strangers = max(one.get("strangers", 0) for one in result.values())
        print(f"  round {number}: " + ", ".join(f"{name} {brief(one)}" for name, one in result.items()) +
              (f"; strangers took {strangers:.0%} of a core" if strangers > STRANGERS_MAX else ""), file=sys.stderr, flush=True)
        if number > 0 or count == 1:
            kept.append((strangers, result))
    kept.sort(key=lambda one: one[0])
    calm = [one for one in kept if one[0] <= STRANGERS_MAX]
    kept = calm if len(calm) >= 2 else kept[:2]
    return {"rounds": [result for _, result in kept], "strangers": max(strangers for strangers, _ in kept)}


def brief(one):
    if "resident_bytes" in one:
        return f"{one['seconds'] * 1e3:.1f} ms"
    if "cpu_seconds" not in one:
        return ""
    per_gigabyte = one["cpu_seconds"] * 1e9 / one["bytes"] if one["bytes"] else 0
    return f"{one['bytes'] / one['seconds'] / 1e6:.1f} MB/s {per_gigabyte:.2f} CPU-s/GB p50 {one['p50']} p99 {one['p99']}"


def median(values):
    return statistics.median(values) if values else 0


def machine(directory):
    """What a figure is worth nothing without."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), os.uname().machine)
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    mounts = [line.split() for line in open("/proc/mounts")]
    path = os.path.realpath(directory)
    device, _, file_system, options = max((m for m in mounts if os.path.commonpath([path, m[1]]) == m[1]), key=lambda m: len(m[1]))[:4]
    virtual = any(line.startswith("flags") and "hypervisor" in line for line in open("/proc/cpuinfo"))
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(memory / 1048576), "virtual": virtual,
            "kernel": os.uname().release.split("-")[0], "file_system": file_system, "disk": os.path.basename(device)}
