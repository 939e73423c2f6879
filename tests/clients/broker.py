"""Brokers for tests: started on free ports of loopback with temporary data, ended by their own process ids."""

import json
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def free_port():
    """Below the ports that the kernel gives to outgoing connections: a client that calls again and again while nobody
    listens could otherwise be given the port itself."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Server:
    """One broker process over a data directory. `bootstrap` is set while it runs."""

    bootstrap = None

    def __init__(self, directory):
        self.root = Path(tempfile.mkdtemp(prefix="rafka-test-"))
        self.directory = Path(directory) if directory else self.root / "data"
        self.log = open(self.root / "broker.log", "ab")
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_rest):
        code = self.stop()
        self.log.close()
        if kind or code:
            print((self.root / "broker.log").read_text(errors="replace")[-4000:])
        shutil.rmtree(self.root, ignore_errors=True)
        if code and not kind:
            raise RuntimeError(f"the broker ended with {code}")

    def stop(self, seconds=60):
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return "no end after SIGTERM"
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None


class Rafka(Server):
    has_groups = False
    prefix = []     # A command that starts the broker.
    prepare = None  # Called in its process before.

    def __init__(self, binary, directory=None, arguments=()):
        super().__init__(directory)
        self.binary = binary
        self.arguments = list(arguments)
        # The same address at every start, so that clients come back.
        self.listen = f"127.0.0.1:{free_port()}"

    def start(self, seconds=30):
        ports = self.root / "ports"
        ports.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [*self.prefix, self.binary, "--data", str(self.directory), "--listen", self.listen, "--ports-file", str(ports), *self.arguments],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=self.prepare)
        deadline = time.monotonic() + seconds
        while not ports.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the broker did not start:\n" + (self.root / "broker.log").read_text(errors="replace")[-2000:])
            time.sleep(0.002)
        self.bootstrap = json.loads(ports.read_text())["PLAINTEXT"]


class Kafka(Server):
    """Apache Kafka, to hold the tests themselves against."""

    has_groups = True

    def __init__(self, libs, directory=None, more_settings=(), java_options=(), format_arguments=()):
        super().__init__(directory)
        self.format_arguments = list(format_arguments)
        self.java = ["java", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *java_options, "-cp", f"{libs}/*"]
        self.port, controller = free_port(), free_port()
        self.properties = self.root / "server.properties"
        settings = {
            "process.roles": "broker,controller", "node.id": "1", "log.dirs": str(self.directory),
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "inter.broker.listener.name": "PLAINTEXT", "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "offsets.topic.replication.factor": "1", "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1", "share.coordinator.state.topic.min.isr": "1",
            # Tests write with timestamps of long ago.
            "log.retention.ms": "-1",
            **dict(more_settings),
        }
        self.properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items() if value is not None))

    def start(self, seconds=60):
        if not (self.directory / "meta.properties").exists():
            subprocess.run([*self.java, "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "--standalone",
                            "-c", str(self.properties), *self.format_arguments], check=True, stdout=self.log, stderr=self.log, timeout=60)
        self.process = subprocess.Popen([*self.java, "kafka.Kafka", str(self.properties)], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + seconds
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Kafka did not start")
            time.sleep(0.1)
        self.bootstrap = f"127.0.0.1:{self.port}"

    def stop(self, seconds=60):
        code = super().stop(seconds)
        return 0 if code == 143 else code
