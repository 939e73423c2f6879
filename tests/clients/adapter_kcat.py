#!/usr/bin/env python3
"""kcat behind the contract of README.md. kcat sets no timestamps, cannot be given a zero
byte, and shows a header without a value as NULL."""

import re
import subprocess
import tempfile

from jobs import each, serve, to_bytes, to_text


def run(*args, text=b""):
    done = subprocess.run(["kcat", *args], input=text, capture_output=True, timeout=20)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip()[-400:])
    return done.stdout


def write(bootstrap, job):
    # One call a record: key and headers are options, and the value is a file, so that any byte may stand in it.
    for record in job["records"]:
        args = ["-P", "-b", bootstrap, "-t", job["topic"], "-p", "0", "-z", job["codec"], "-X", "acks=all",
                "-X", "message.max.bytes=4194304", "-X", f"enable.idempotence={str(job['idempotence']).lower()}"]
        for name, value in record["headers"]:
            args += ["-H", name if value is None else f"{name}={to_bytes(value).decode()}"]
        key, value = to_bytes(record["key"]), to_bytes(record["value"])
        if not value:
            # An empty file is no record, but a key with nothing behind it is one.
            run(*args, "-K", "\t", *([] if value is not None else ["-Z"]), text=key + b"\t\n")
            continue
        with tempfile.NamedTemporaryFile() as file:
            file.write(value)
            file.flush()
            run(*args, *([] if key is None else ["-k", key.decode()]), file.name)
    return {"offsets": None}


def read(bootstrap, job):
    out = run("-C", "-b", bootstrap, "-t", job["topic"], "-p", "0", "-o", "beginning", "-c", str(job["count"]), "-e", "-q",
              "-X", "fetch.message.max.bytes=4194304", "-f", "%o %T %K %S [%h]\\n%k%s\\n")
    records = []
    while out:
        line = re.match(rb"(-?\d+) (-?\d+) (-?\d+) (-?\d+) \[(.*)\]\n", out)
        offset, timestamp, key_size, value_size = (int(line[i]) for i in range(1, 5))
        at = line.end()
        parts = []
        for size in (key_size, value_size):
            parts.append(None if size < 0 else out[at:at + size])
            at += max(size, 0)
        out = out[at + 1:]
        records.append({"offset": offset, "timestamp": timestamp, "key": to_text(parts[0]), "value": to_text(parts[1]),
                        "headers_text": line[5].decode()})
    return {"records": records}


def version():
    return re.search(r"Version \S+.*", subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout)[0]


serve(version, each(write), each(read))
