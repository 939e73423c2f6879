"""Small file systems that a test may fill: each in a mount namespace of its own, which nobody else sees and which is gone
with the process that holds it."""

import os
import shutil
import subprocess
from pathlib import Path

from checks import Skipped

BLOCKS = (1 << 20, 65536, 4096, 512, 1)


class SmallDisk:
    """A file system of some megabytes at `path`, as those see it who were started with `prefix` before their command; we
    ourselves see it below `seen`. Without privileges a tmpfs is to be had where user namespaces are; others need root."""

    def __init__(self, kind, megabytes, root):
        self.path = root / f"small-{kind}"
        self.path.mkdir()
        is_root = os.geteuid() == 0
        self.prefix = ["nsenter", "-m"] if is_root else ["nsenter", "-U", "--preserve-credentials", "-m"]
        if kind == "tmpfs":
            mount = f'mount -t tmpfs -o size={megabytes}m none "{self.path}"'
        elif not is_root:
            raise Skipped(f"an image of {kind} is mounted by root only")
        elif not shutil.which(f"mkfs.{kind}"):
            raise Skipped(f"there is no mkfs.{kind}")
        else:
            image = root / f"{kind}.image"
            mount = f'truncate -s {megabytes}M "{image}" && mkfs.{kind} -q -F "{image}" && mount -o loop "{image}" "{self.path}"'
        script = f"{mount} && echo mounted && cat"
        self.holder = subprocess.Popen(["unshare", "-m" if is_root else "-Urm", "sh", "-c", script], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline() != "mounted\n":
            why = self.holder.communicate()[1].strip()
            raise Skipped(f"no {kind} can be mounted here: {why.splitlines()[-1] if why else 'no reason given'}")
        self.prefix += ["-t", str(self.holder.pid)]
        self.seen = Path(f"/proc/{self.holder.pid}/root{self.path}")
        self.filler = self.seen / "filler"

    def fill(self):
        descriptor = os.open(self.filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for block in BLOCKS:
                try:
                    while True:
                        os.write(descriptor, bytes(block))
                except OSError:
                    pass
        finally:
            os.close(descriptor)

    def give_back(self):
        self.filler.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_why):
        self.holder.communicate()
