"""The brokers of the comparison: started on one core with fresh data, asleep while another one is measured."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "clients"))
import broker  # noqa: E402

CORES = sorted(os.sched_getaffinity(0))
BROKER_CORE, CLIENT_CORE = CORES[0], CORES[-1]

# As kafka-server-start.sh starts it.
JVM = ["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
       "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"]
DELETE_DELAY_MS = 500


@contextlib.contextmanager
def on_core(core):
    """What is started inside stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Rafka(broker.Rafka):
    def __init__(self, binary, directory, arguments=()):
        settings = ["-D", f"log.segment.delete.delay.ms={DELETE_DELAY_MS}", "--log-level", "warn"]
        super().__init__(str(binary), directory, [*settings, *arguments])

    def command(self, port):
        """To be started by somebody else."""
        return [self.binary, "--data", str(self.directory), "--listen", f"127.0.0.1:{port}", *self.arguments]


class Kafka(broker.Kafka):
    def __init__(self, libs, directory):
        super().__init__(libs, directory)
        self.java[1:2] = JVM
        with open(self.properties, "a") as properties:
            properties.write(f"log.segment.delete.delay.ms={DELETE_DELAY_MS}\n")
            # Its own controller would fence it after nine seconds asleep.
            properties.write("broker.session.timeout.ms=3600000\n")

    def command(self):
        return [*self.java, "kafka.Kafka", str(self.properties)]


class Running:
    """A broker that runs on BROKER_CORE. It sleeps (SIGSTOP) but for the time of awake()."""

    def __init__(self, server):
        self.directory = server.directory
        self.pid = server.process.pid
        self.port = int(server.bootstrap.rsplit(":", 1)[1])

    def sleep(self):
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self):
        os.kill(self.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def awake(self):
        # Whoever was before has its bytes on disk now, and does not write them while we measure.
        os.sync()
        self.wake()
        try:
            yield self
        finally:
            self.sleep()

    def resident_bytes(self):
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def forget_pages(self):
        """Drops what the kernel keeps of its files: the next reader goes to the disk."""
        os.sync()
        for path in self.directory.rglob("*.log"):
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


@contextlib.contextmanager
def running(*servers):
    """All of them, asleep."""
    with contextlib.ExitStack() as stack:
        brokers = []
        for server in servers:
            with on_core(BROKER_CORE):
                stack.enter_context(server)
            brokers.append(Running(server))
            stack.callback(brokers[-1].wake)
        time.sleep(1)
        for started in brokers:
            started.sleep()
        yield brokers
