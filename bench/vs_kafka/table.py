"""The one table, in Markdown, of the figures that were kept. A ratio is the median of the rounds' own ratios, in which
both sides were measured right after each other, with the least and the greatest of them."""

import re

from measuring import median

BEGIN, END = "<!-- table: vs_kafka -->", "<!-- end of table -->"


class Target:
    """What a ratio shall be at most, or at least."""

    def __init__(self, at_most=None, at_least=None, said=None):
        self.at_most, self.at_least, self.said = at_most, at_least, said

    def text(self):
        return self.said or (f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}")

    def verdict(self, ratio):
        met = ratio <= self.at_most if self.at_most is not None else ratio >= self.at_least
        return "met" if met else "**not met**"


def fraction(divisor):
    return Target(at_most=1 / divisor, said=f"≤ 1/{divisor}")


def figure(value):
    if value == 0:
        return "0"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3g}"


def ratio_text(ratios):
    middle = median(ratios)
    small = middle < 0.1
    show = (lambda x: f"1/{1 / x:.0f}" if x > 0 else "0") if small else (lambda x: f"{x:.2f}")
    spread = f" ({show(min(ratios))} to {show(max(ratios))})" if len(ratios) > 1 else ""
    return show(middle) + spread


def megabytes_per_second(one):
    return one["bytes"] / one["seconds"] / 1e6


def cpu_per_gigabyte(one):
    return one["cpu_seconds"] * 1e9 / one["bytes"]


def requests_per_second(one):
    return one["requests"] / one["seconds"]


def microseconds(name):
    return lambda one: one[name]


class Rows:
    def __init__(self):
        self.lines = []

    def add(self, what, unit, kafka, rafka, floor, ratios, target):
        cells = [what, unit, kafka, rafka, floor or "", ratio_text(ratios), target.text() if target else "",
                 target.verdict(median(ratios)) if target else ""]
        self.lines.append("| " + " | ".join(cells) + " |")

    def compare(self, what, unit, section, measure, target=None, kafka="kafka", rafka="rafka"):
        """A row of a section's rounds, one arm beside the other."""
        if not section:
            return
        kept = [one for one in section["rounds"] if kafka in one and rafka in one]
        if not kept:
            return
        of = lambda arm: figure(median([measure(one[arm]) for one in kept]))  # noqa: E731
        floor = of("floor") if all("floor" in one for one in kept) else None
        self.add(what, unit, of(kafka), of(rafka), floor, [measure(one[rafka]) / max(1e-9, measure(one[kafka])) for one in kept], target)


def add_produced(rows, results):
    produced, closed = results.get("produce"), results.get("closed")
    big = "64 KiB batches, 4 connections x 5 in flight"
    rows.compare(f"produce, {big}", "CPU-s/GB", produced, cpu_per_gigabyte, fraction(4))
    rows.compare("the same", "MB/s", produced, megabytes_per_second, Target(at_least=2))
    rows.compare("the same, Kafka with flush", "CPU-s/GB", produced, cpu_per_gigabyte, kafka="kafka_flush")
    rows.compare("the same, Kafka with flush", "MB/s", produced, megabytes_per_second, kafka="kafka_flush")
    if produced:
        ways = [[megabytes_per_second(one[way]) for way in ("rafka", "rafka_epoll")] for one in produced["rounds"]]
        ring, epoll = (figure(median(values)) for values in zip(*ways))
        rows.add("the same, rafka over epoll beside rafka over io_uring", "MB/s", "", epoll, f"{ring} (io_uring)",
                 [epoll / ring for ring, epoll in ways], Target(at_least=0.7))
    if appended := results.get("append"):
        rows.add("engine alone, 64 KiB, 8 in flight, beside a program that only writes", "MB/s", "", figure(appended["engine_mb_per_s"]),
                 figure(appended["floor_mb_per_s"]), [appended["ratio"]], Target(at_least=0.7))
    one = "1 KiB, closed loop, 1 connection"
    for name in ("p50", "p99"):
        rows.compare(f"produce, {one}, Kafka with flush", f"{name} µs", closed, microseconds(name), fraction(3), kafka="kafka_flush")
    for name in ("p50", "p99"):
        rows.compare(f"produce, {one}", f"{name} µs", closed, microseconds(name))


def add_open_loop(rows, results):
    rates = results.get("curve", {}).get("rates", {})
    for rate in ("200", "1000", "10000"):
        for kafka, title in (("kafka_flush", ", Kafka with flush"), ("kafka", "")):
            for name in ("p50", "p99"):
                rows.compare(f"produce, 1 KiB, open loop, {rate}/s{title}", f"{name} µs", rates.get(rate), microseconds(name), kafka=kafka)


def add_others(rows, results):
    consumed = results.get("consume", {})
    for name, title in (("tail", "consume the newest 16 MiB"), ("cold", "consume 512 MiB that is not in memory")):
        rows.compare(title, "CPU-s/GB", consumed.get(name), cpu_per_gigabyte, Target(at_most=1))
        rows.compare("the same", "MB/s", consumed.get(name), megabytes_per_second)
    start = results.get("start")
    rows.compare("memory (RSS), empty", "MiB", start, lambda one: one["resident_bytes"] / 1048576, fraction(20))
    if after := results.get("produce", {}).get("resident_bytes"):
        kafka, rafka = (after[name] / 1048576 for name in ("kafka", "rafka"))
        rows.add("memory (RSS), after producing 64 KiB batches", "MiB", figure(kafka), figure(rafka), None, [rafka / kafka], fraction(20))
    rows.compare("exec to first answered Metadata, empty", "ms", start, lambda one: one["seconds"] * 1e3, fraction(150))


def machine_text(results):
    machines = [section["machine"] for section in results.values()]
    m = machines[-1]
    kind = "virtual machine, " if m["virtual"] else ""
    return (f"{kind}{m['cores']} cores of {m['cpu']}, {m['memory_gib']} GiB, Linux {m['kernel']}, {m['file_system']} on {m['disk']}; "
            "broker on one core, client on the other")


def durability_text():
    return ("rafka: every acknowledged batch is on stable storage; Kafka: in the page cache (defaults), or flushed "
            "(flush.messages=1)")


def noise_text(results):
    shares = []
    for section in results.values():
        parts = [section, *section.get("rates", {}).values(), *(section[name] for name in ("tail", "cold") if name in section)]
        shares += [part["strangers"] for part in parts if "strangers" in part]
    return f"Other programs took at most {max(shares, default=0):.0%} of a core in the rounds that count."


def markdown(results):
    rows = Rows()
    add_produced(rows, results)
    add_open_loop(rows, results)
    add_others(rows, results)
    head = ["| | | Kafka 4.3.1 | rafka | floor | ratio (least to greatest) | target | |", "| --- | --- | ---: | ---: | ---: | --- | --- | --- |"]
    return "\n".join([f"On: {machine_text(results)}.", f"Durability: {durability_text()}.", noise_text(results), "", *head, *rows.lines])


def put_into(path, text):
    """Replaces what stands between the two marks."""
    before = path.read_text()
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(before):
        raise SystemExit(f"{path} has no place for the table ({BEGIN})")
    path.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", before))
