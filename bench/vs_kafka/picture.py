"""Latency over load, drawn as SVG: both axes logarithmic, the median solid, the 99th percentile dashed. A line ends at the
highest rate that was kept; where a higher one was tried and not kept, a cross says so."""

import math
from html import escape

from measuring import median
from sections import SUSTAINED
from table import durability_text, machine_text

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 84, 236, 92, 70
ARMS = [("kafka_flush", "Kafka, flush.messages=1", "#c2410c"), ("kafka", "Kafka, defaults", "#d99a00"), ("rafka", "rafka, always durable", "#1d4ed8")]
QUANTILES = [("p50", "", 2.4), ("p99", "7 5", 2.0)]


class Scale:
    """A logarithmic axis from `low` to `high`, drawn between two pixels."""

    def __init__(self, low, high, at_low, at_high):
        self.low, self.high, self.at_low, self.at_high = low, high, at_low, at_high

    def __call__(self, value):
        part = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return self.at_low + part * (self.at_high - self.at_low)

    def ticks(self, digits=(1, 2, 5)):
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [digit * 10.0**decade for decade in decades for digit in digits]
        return [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]


def short(value):
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def text(x, y, words, anchor="middle", size=13, weight="normal", fill="#222", turn=None):
    rotate = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{fill}"{rotate}>'
            f"{escape(words)}</text>")


def line(x1, y1, x2, y2, stroke="#ddd", width=1.0, dashes=""):
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" stroke-width="{width}"{dash}/>'


def points_of(results):
    """By arm: (rate, {quantile: ms}, whether the rate was kept), in order of the rates."""
    points = {name: [] for name, _, _ in ARMS}
    for rate, section in sorted(results.get("curve", {}).get("rates", {}).items(), key=lambda one: float(one[0])):
        rate = float(rate)
        for name in points:
            kept = [one[name] for one in section["rounds"] if name in one]
            if not kept:
                continue
            sustained = median([one["requests"] / one["seconds"] for one in kept]) >= SUSTAINED * rate
            points[name].append((rate, {q: median([one[q] for one in kept]) / 1e3 for q, _, _ in QUANTILES}, sustained))
    return points


def bounds(values):
    """Around them, to the next 1, 2 or 5."""
    def step(value, up):
        decade = 10.0 ** math.floor(math.log10(value))
        choices = [digit * decade for digit in (1, 2, 5, 10)]
        return min(c for c in choices if c >= value * 1.02) if up and value * 1.02 <= 10 * decade else 20 * decade if up else max(
            (c for c in choices if c <= value * 0.98), default=decade / 2)
    return step(min(values), False), step(max(values), True)


def axes(x, y):
    out = []
    for value in y.ticks():
        out.append(line(LEFT, y(value), WIDTH - RIGHT, y(value), "#bbb" if math.log10(value).is_integer() else "#e4e4e4"))
        out.append(text(LEFT - 9, y(value) + 4.5, f"{value:g}", "end"))
    for value in x.ticks():
        out.append(line(x(value), TOP, x(value), HEIGHT - BOTTOM, "#bbb" if math.log10(value).is_integer() else "#e4e4e4"))
        out.append(text(x(value), HEIGHT - BOTTOM + 20, short(value)))
    out.append(f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}" fill="none" stroke="#666"/>')
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 46, "load: requests per second, each a batch of 1 KiB, one partition, 8 connections (log scale)", size=14))
    out.append(text(26, (TOP + HEIGHT - BOTTOM) / 2, "latency from the intended time, ms (log scale)", size=14, turn=-90))
    return out


def curve(points, quantile, x, y, color, dashes, width):
    kept = [(x(rate), y(values[quantile])) for rate, values, sustained in points if sustained]
    out = []
    if kept:
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in kept)
        out.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"{dash}/>')
        out += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.2" fill="{"#fff" if dashes else color}" stroke="{color}" stroke-width="1.5"/>'
                for px, py in kept]
    return out


def lost(points, x, y, color, place):
    """The first rate that was not kept: a cross at the top, above where it belongs."""
    at = next((rate for rate, _, sustained in points if not sustained), None)
    if at is None:
        return []
    px, py = x(at), TOP + 14 + 15 * place
    return [line(px - 5, py - 5, px + 5, py + 5, color, 2.4), line(px - 5, py + 5, px + 5, py - 5, color, 2.4)]


def legend():
    left, top = WIDTH - RIGHT + 18, TOP + 8
    out = []
    for _, title, color in ARMS:
        out.append(text(left, top, title, "start", 13, "bold", color))
        for quantile, dashes, width in QUANTILES:
            top += 22
            out.append(line(left, top - 4, left + 38, top - 4, color, width, dashes))
            out.append(f'<circle cx="{left + 19}" cy="{top - 4}" r="3.2" fill="{"#fff" if dashes else color}" stroke="{color}" stroke-width="1.5"/>')
            out.append(text(left + 48, top, {"p50": "median (p50)", "p99": "99th percentile (p99)"}[quantile], "start"))
        top += 34
    out += [line(left + 14, top - 9, left + 24, top + 1, "#444", 2.4), line(left + 14, top + 1, left + 24, top - 9, "#444", 2.4),
            text(left + 48, top, "rate not kept", "start")]
    return out


def svg(results):
    points = points_of(results)
    shown = [value for arm in points.values() for _, values, sustained in arm if sustained for value in values.values()]
    rates = [rate for arm in points.values() for rate, _, _ in arm]
    if not shown:
        raise SystemExit("no figures of latency over load: run --only curve")
    x = Scale(min(rates) / 1.3, max(rates) * 1.3, LEFT, WIDTH - RIGHT)
    y = Scale(*bounds(shown), HEIGHT - BOTTOM, TOP)
    parts = axes(x, y)
    for place, (name, _, color) in enumerate(ARMS):
        for quantile, dashes, width in QUANTILES:
            parts += curve(points[name], quantile, x, y, color, dashes, width)
        parts += lost(points[name], x, y, color, place)
    parts += legend()
    parts.append(text(LEFT, 30, "Latency over load of Kafka 4.3.1 and rafka: produce, acks=all, open loop", "start", 18, "bold"))
    parts.append(text(LEFT, 52, durability_text(), "start", 12, fill="#444"))
    parts.append(text(LEFT, 70, machine_text(results), "start", 12, fill="#444"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'font-family="DejaVu Sans, Verdana, Arial, sans-serif">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
            + "\n".join(parts) + "\n</svg>\n")
