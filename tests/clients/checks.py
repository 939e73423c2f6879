"""What scripts of checks share: how one fails or is skipped, the tally at the end, and what /proc says of a broker."""

import os
import struct
import subprocess
import threading
import time
from pathlib import Path


class Failed(Exception):
    pass


class Skipped(Exception):
    """This machine, or who we are on it, does not allow the check."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, what)
        time.sleep(0.02)


class Tally:
    def __init__(self, only=""):
        self.only = set(filter(None, only.split(",")))
        self.passed, self.failed, self.skipped = 0, 0, 0

    def wants(self, name):
        return not self.only or name in self.only

    def run(self, name, test):
        """`test` gives a sentence or None."""
        began = time.monotonic()
        try:
            facts = test()
        except Skipped as why:
            self.skipped += 1
            print(f"skipped: {name}: {why}", flush=True)
        except (Failed, OSError, ValueError, RuntimeError, struct.error, subprocess.SubprocessError) as error:
            self.failed += 1
            print(f"FAILED: {name}: {error!r}" if not isinstance(error, Failed) else f"FAILED: {name}: {error}", flush=True)
            if isinstance(error, ConnectionRefusedError):
                raise SystemExit(f"the broker is gone\n{self.text()}") from error
        else:
            self.passed += 1
            print(f"passed: {name} ({time.monotonic() - began:.1f} s{'; ' + facts if facts else ''})", flush=True)

    def text(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")

    def end(self):
        """The exit code."""
        print(self.text())
        return 1 if self.failed else 0


def status(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise KeyError(name)


def memory(pid):
    return status(pid, "RssAnon") << 10


def peak_memory(pid):
    """Of all its life."""
    return status(pid, "VmHWM") << 10


def descriptors(pid):
    """What each is: a socket, a file."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except FileNotFoundError:
            pass  # Closed meanwhile.
    return links


def sockets(pid):
    return sum(link.startswith("socket:") for link in descriptors(pid))


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def switches(pid):
    """By thread."""
    counts = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                counts[task.name] = int(line.split()[1])
    return counts


class Memory:
    """The most that the process took while this was watching."""

    def __init__(self, pid):
        self.pid, self.start, self.peak, self.over = pid, memory(pid), 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_why):
        self.over.set()
        self.thread.join()

    def watch(self):
        while not self.over.wait(0.01):
            self.peak = max(self.peak, memory(self.pid))

    @property
    def growth(self):
        return max(self.peak - self.start, 0)
