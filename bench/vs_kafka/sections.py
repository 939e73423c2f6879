"""What is measured. A section starts its own brokers, takes less than four minutes and returns figures to keep."""

import subprocess
import tempfile

from brokers import BROKER_CORE, Kafka, Rafka, on_core, running
from broker import free_port
from measuring import Arm, Failed, Floor, Meter, machine, rounds

FLUSH = ["flush.messages=1"]
SLOW_RATES = [100, 200, 500, 1000]
FAST_RATES = [2000, 5000, 10000, 20000, 40000]
SUSTAINED = 0.98  # Of a rate, to say that it was kept.


class Bench:
    def __init__(self, build, kafka_libs, directory, quick):
        self.build = build
        self.kafka_libs = kafka_libs
        self.directory = directory
        self.quick = quick
        self.meter = Meter(build / "bench" / "measure")

    def scratch(self):
        return tempfile.TemporaryDirectory(prefix="vs_kafka-", dir=self.directory)

    def rafka(self, where, *arguments):
        return Rafka(self.build / "src" / "rafka", where, arguments)

    def count(self, number):
        return 2 if self.quick else number

    def seconds(self, number):
        return min(number, 1) if self.quick else number

    def warm(self, broker, **load):
        """Kafka is measured once it is compiled: its first half minute costs three times the CPU."""
        Arm(self.meter, broker).produced(seconds=2 if self.quick else 25, warmup=0, **load)


def start(bench):
    with bench.scratch() as where, Kafka(bench.kafka_libs, f"{where}/kafka") as kafka, bench.rafka(f"{where}/rafka") as rafka:
        kafka.stop(), rafka.stop()  # Their directories are made now.
        free = free_port()
        return rounds(bench.count(6), {"kafka": lambda: bench.meter.start(kafka.port, 2, kafka.command()),
                                       "rafka": lambda: bench.meter.start(free, 2, rafka.command(free))})


def produce(bench):
    load = {"batch_bytes": 65536, "connections": 4, "in_flight": 5}
    with bench.scratch() as where, bench.meter.floor() as floor, running(
            Kafka(bench.kafka_libs, f"{where}/kafka"), bench.rafka(f"{where}/rafka"),
            bench.rafka(f"{where}/epoll", "--io-backend", "epoll")) as (kafka, rafka, epoll):
        bench.warm(kafka, **load)
        arms = {"kafka": Arm(bench.meter, kafka), "kafka_flush": Arm(bench.meter, kafka, FLUSH),
                "rafka": Arm(bench.meter, rafka), "rafka_epoll": Arm(bench.meter, epoll), "floor": Floor(bench.meter, floor)}
        turn = {name: (lambda arm=arm: arm.produced(seconds=bench.seconds(2.5), warmup=0.5, **load)) for name, arm in arms.items()}
        result = rounds(bench.count(6), turn)
        result["resident_bytes"] = {"kafka": kafka.resident_bytes(), "rafka": rafka.resident_bytes()}
        return result


def closed(bench):
    load = {"batch_bytes": 1024, "connections": 1, "in_flight": 1, "spin": True}
    with bench.scratch() as where, bench.meter.floor() as floor, running(
            Kafka(bench.kafka_libs, f"{where}/kafka"), bench.rafka(f"{where}/rafka")) as (kafka, rafka):
        bench.warm(kafka, **load)
        arms = {"kafka": Arm(bench.meter, kafka), "kafka_flush": Arm(bench.meter, kafka, FLUSH), "rafka": Arm(bench.meter, rafka),
                "floor": Floor(bench.meter, floor)}
        turn = {name: (lambda arm=arm: arm.produced(seconds=bench.seconds(3), warmup=1, **load)) for name, arm in arms.items()}
        return rounds(bench.count(6), turn)


def curve(bench, rates):
    load = {"batch_bytes": 1024, "connections": 8, "in_flight": 64, "spin": True}
    with bench.scratch() as where, running(Kafka(bench.kafka_libs, f"{where}/kafka"), bench.rafka(f"{where}/rafka")) as (kafka, rafka):
        bench.warm(kafka, **load)
        arms = {"kafka": Arm(bench.meter, kafka), "kafka_flush": Arm(bench.meter, kafka, FLUSH), "rafka": Arm(bench.meter, rafka)}
        result = {}
        for rate in rates:
            turn = {name: (lambda arm=arm, rate=rate: arm.produced(seconds=bench.seconds(2.5), warmup=1, rate=rate, **load))
                    for name, arm in arms.items()}
            result[str(rate)] = rounds(bench.count(3), turn)
            # Who cannot keep a rate keeps no higher one.
            for name in list(arms):
                if all(one[name]["requests"] < SUSTAINED * rate * one[name]["seconds"] for one in result[str(rate)]["rounds"]):
                    del arms[name]
            if not arms:
                break
        return {"rates": result}


def consume(bench):
    with bench.scratch() as where, bench.meter.floor() as floor, running(
            Kafka(bench.kafka_libs, f"{where}/kafka"), bench.rafka(f"{where}/rafka")) as (kafka, rafka):
        arms = {"kafka": Arm(bench.meter, kafka), "rafka": Arm(bench.meter, rafka)}
        for arm in arms.values():
            arm.filled("tail", 16)
        arms["kafka"].consumed("tail", seconds=bench.seconds(25))
        tail = rounds(bench.count(6), {
            name: (lambda arm=arm: arm.consumed("tail", seconds=bench.seconds(2.5), warmup=0.5))
            for name, arm in {**arms, "floor": Floor(bench.meter, floor)}.items()})
        for arm in arms.values():
            arm.filled("cold", 64 if bench.quick else 1024)
        cold = rounds(bench.count(6), {name: (lambda arm=arm: arm.consumed("cold", cold=True, once=True)) for name, arm in arms.items()})
        return {"tail": tail, "cold": cold}


def append(bench):
    """The engine without a network beside a program that only writes: printed by bench/append, the ratio behind the last bar."""
    case = "64 KiB, 8 in flight"
    words = [bench.build / "bench" / "append", "--directory", bench.directory, "--case", case,
             "--runs", str(bench.count(7)), "--seconds", str(bench.seconds(2))]
    with on_core(BROKER_CORE):
        text = subprocess.run(words, capture_output=True, text=True, check=True, timeout=200).stdout
    for line in text.splitlines():
        if line.startswith(case):
            engine, floor, ratios = (part.split() for part in line[len(case):].split("|"))
            return {"engine_mb_per_s": float(engine[1]), "floor_mb_per_s": float(floor[0]), "ratio": float(ratios[0])}
    raise Failed("bench/append printed no such case")


SECTIONS = {"start": start, "append": append, "produce": produce, "closed": closed, "consume": consume,
            "curve_slow": lambda bench: curve(bench, SLOW_RATES), "curve_fast": lambda bench: curve(bench, FAST_RATES)}


def measure(bench, name):
    result = SECTIONS[name](bench)
    result["machine"] = machine(bench.directory)
    return result
