"""Looks into segment files without any Kafka code: enough of the batch header to tell what was stored."""

import struct

NAMES = {0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}


def batches(partition):
    """(base offset, attributes, record count) of each batch of a partition directory."""
    for path in sorted(partition.glob("*.log")):
        data = path.read_bytes()
        at = 0
        while at + 61 <= len(data):
            base, length, _epoch, magic = struct.unpack_from(">qiib", data, at)
            if length <= 0 or magic != 2:
                break
            attributes, = struct.unpack_from(">h", data, at + 21)
            count, = struct.unpack_from(">i", data, at + 57)
            yield base, attributes, count
            at += 12 + length


def codecs(partition):
    return {NAMES.get(attributes & 7, str(attributes & 7)) for _, attributes, _ in batches(partition)}
