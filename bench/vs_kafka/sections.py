"""What is measured. All parts of one run share their brokers."""

import contextlib
import subprocess
import tempfile
from functools import cached_property

from brokers import BROKER_CORE, Kafka, Rafka, on_core, running
from broker import free_port
from measuring import Arm, Failed, Floor, Meter, machine, rounds

FLUSH = ["flush.messages=1"]
RATES = [100, 200, 1000, 3000, 10000, 20000, 40000]
SUSTAINED = 0.98  # Of a rate, to say that it was kept.
WARM_SECONDS = 25
BIG = {"batch_bytes": 65536, "connections": 4, "in_flight": 5}
SMALL = {"batch_bytes": 1024, "connections": 1, "in_flight": 1}
OPEN_LOOP = {"batch_bytes": 1024, "connections": 8, "in_flight": 64}


class Bench:
    """Where everything is, and the brokers once somebody asks for them."""

    def __init__(self, build, kafka_libs, directory, quick):
        self.build = build
        self.kafka_libs = kafka_libs
        self.directory = directory
        self.quick = quick
        self.meter = Meter(build / "bench" / "measure")
        self.open = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        return self.open.__exit__(*failure)

    def count(self, number):
        return 2 if self.quick else number

    def seconds(self, number):
        return min(number, 1) if self.quick else number

    @cached_property
    def where(self):
        return self.open.enter_context(tempfile.TemporaryDirectory(prefix="vs_kafka-", dir=self.directory))

    def kafka(self, name):
        return Kafka(self.kafka_libs, f"{self.where}/{name}")

    def rafka(self, name, *arguments):
        return Rafka(self.build / "src" / "rafka", f"{self.where}/{name}", arguments)

    @cached_property
    def arms(self):
        """Kafka is warm: its first half minute costs three times the CPU."""
        servers = [self.kafka("kafka"), self.rafka("rafka"), self.rafka("epoll", "--io-backend", "epoll")]
        kafka, rafka, epoll = self.open.enter_context(running(*servers))
        floor = self.open.enter_context(self.meter.floor())
        arms = {"kafka": Arm(self.meter, kafka), "kafka_flush": Arm(self.meter, kafka, FLUSH), "rafka": Arm(self.meter, rafka),
                "rafka_epoll": Arm(self.meter, epoll), "floor": Floor(self.meter, floor)}
        seconds = 2 if self.quick else WARM_SECONDS
        arms["kafka"].produced(seconds=seconds * 0.6, warmup=0, **BIG)
        arms["kafka"].produced(seconds=seconds * 0.4, warmup=0, **OPEN_LOOP)
        return arms

    def rounds(self, count, arms, call):
        """`call` makes a measurement of an arm."""
        return rounds(self.count(count), {name: (lambda arm=self.arms[name]: call(arm)) for name in arms})


def start(bench):
    with bench.kafka("empty-kafka") as kafka, bench.rafka("empty-rafka") as rafka:
        kafka.stop(), rafka.stop()  # Their directories are made now.
        free = free_port()
        return rounds(bench.count(5), {"kafka": lambda: bench.meter.start(kafka.port, 2, kafka.command()),
                                       "rafka": lambda: bench.meter.start(free, 2, rafka.command(free))})


def produce(bench):
    result = bench.rounds(5, bench.arms, lambda arm: arm.produced(seconds=bench.seconds(2.5), warmup=0.5, **BIG))
    result["resident_bytes"] = {name: bench.arms[name].broker.resident_bytes() for name in ("kafka", "rafka")}
    return result


def closed(bench):
    return bench.rounds(6, ["kafka", "kafka_flush", "rafka", "floor"],
                        lambda arm: arm.produced(seconds=bench.seconds(2), warmup=0.5, **SMALL))


def curve(bench):
    arms, result = ["kafka", "kafka_flush", "rafka"], {}
    for rate in RATES:
        result[str(rate)] = bench.rounds(3, arms, lambda arm: arm.produced(seconds=bench.seconds(2), warmup=0.5, rate=rate, **OPEN_LOOP))
        # Who cannot keep a rate keeps no higher one.
        arms = [name for name in arms if any(one[name]["requests"] >= SUSTAINED * rate * one[name]["seconds"]
                                             for one in result[str(rate)]["rounds"])]
        if not arms:
            break
    return {"rates": result}


def consume(bench):
    both = ["kafka", "rafka"]
    for name in both:
        bench.arms[name].filled("tail", 16)
    bench.arms["kafka"].consumed("tail", seconds=bench.seconds(10))
    tail = bench.rounds(5, [*both, "floor"], lambda arm: arm.consumed("tail", seconds=bench.seconds(2), warmup=0.5))
    for name in both:
        bench.arms[name].filled("cold", 64 if bench.quick else 512)
    cold = bench.rounds(5, both, lambda arm: arm.consumed("cold", cold=True, once=True))
    for name in both:
        bench.arms[name].dropped("tail", "cold")
    return {"tail": tail, "cold": cold}


def append(bench):
    """The engine without a network beside a program that only writes: printed by bench/append, the ratio behind the last bar."""
    case = "64 KiB, 8 in flight"
    words = [bench.build / "bench" / "append", "--directory", bench.directory, "--case", case,
             "--runs", str(bench.count(5)), "--seconds", str(bench.seconds(2))]
    with on_core(BROKER_CORE):
        text = subprocess.run(words, capture_output=True, text=True, check=True, timeout=200).stdout
    for line in text.splitlines():
        if line.startswith(case):
            engine, floor, ratios = (part.split() for part in line[len(case):].split("|"))
            return {"engine_mb_per_s": float(engine[1]), "floor_mb_per_s": float(floor[0]), "ratio": float(ratios[0])}
    raise Failed("bench/append printed no such case")


SECTIONS = {"start": start, "append": append, "produce": produce, "closed": closed, "curve": curve, "consume": consume}


def measure(bench, name):
    result = SECTIONS[name](bench)
    result["machine"] = machine(bench.directory)
    return result
