"""Who else is connected to a broker while a test does its worst."""

import struct
import threading
import time

import raw
from checks import Failed, check
from raw import Client

PATIENCE = 60  # Seconds that a request may take beside all of that.


class Innocent:
    """Writes and reads a record again and again on a connection of its own, and would do so every few milliseconds."""

    interval = 0.005

    def __init__(self, address):
        self.address, self.over, self.times, self.problem = address, threading.Event(), [], None
        self.written, self.all_times = 0, []
        self.client = Client(address, PATIENCE)
        self.client.ask(raw.create_topic("innocent", 1))
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        records = raw.batch(b"innocent")
        try:
            while not self.over.wait(self.interval):
                began = time.monotonic()
                error, offset = raw.produced(self.client.ask(raw.produce("innocent", 0, records)), "innocent")
                check(error == 0, f"a produce was answered with error {error}")
                self.written += 1
                answer = self.client.ask(raw.fetch("innocent", [0], offset, 1000))
                check(b"innocent" in answer[20:], "a record was not read back")
                took = time.monotonic() - began
                # The turns that this one kept from beginning waited as well.
                self.times += [took - late * self.interval for late in range(int(took / self.interval) + 1)]
        except (OSError, Failed, struct.error) as error:
            self.problem = f"the innocent client: {error!r}"

    def look(self):
        """The slowest turn since the last look."""
        seen = len(self.times)
        deadline = time.monotonic() + PATIENCE
        while len(self.times) < seen + 2 and not self.problem and time.monotonic() < deadline:
            time.sleep(0.005)
        check(not self.problem, self.problem)
        check(len(self.times) >= seen + 2, "the innocent client waits for its answer")
        times, self.times = self.times, []
        self.all_times += times
        return max(times)

    def p99(self):
        """Of the turns since this was last asked."""
        times, self.all_times = sorted(self.all_times), []
        return times[len(times) * 99 // 100]

    def end_offset(self):
        with Client(self.address, PATIENCE) as client:
            return raw.end_offset(client.ask(raw.list_offsets("innocent", 0, -1)), "innocent")

    def stop(self):
        self.over.set()
        self.thread.join(PATIENCE)
        self.client.close()


class Crowd:
    """A thousand connections that say nothing and two hundred that send a byte a second, all the while."""

    def __init__(self, server):
        self.idle = [Client(server.bootstrap, PATIENCE) for _ in range(1000)]
        self.slow = [Client(server.bootstrap, PATIENCE) for _ in range(200)]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.trickle, daemon=True)
        self.thread.start()

    def trickle(self):
        request, at = raw.metadata([]) * 100, 0
        while not self.over.wait(1):
            for client in self.slow:
                client.send(request[at:at + 1])
            at += 1

    def leave(self):
        self.over.set()
        self.thread.join()
        for client in self.idle + self.slow:
            client.close()
