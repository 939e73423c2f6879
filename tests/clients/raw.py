"""Kafka's protocol by hand, over raw sockets: for tests that send what no client library would."""

import random
import socket
import struct

API_VERSIONS, METADATA, PRODUCE, FETCH, LIST_OFFSETS, CREATE_TOPICS, DELETE_TOPICS = 18, 3, 0, 1, 2, 19, 20
# Each API with its versions, oldest and newest.
APIS = {0: (3, 13), 1: (4, 17), 2: (1, 11), 3: (0, 13), 18: (0, 4), 19: (2, 7), 20: (1, 6), 22: (0, 5), 23: (2, 4),
        32: (1, 4), 33: (0, 2), 37: (0, 3), 44: (0, 1), 60: (0, 2), 75: (0, 0)}

CRC_TABLE = []
for number in range(256):
    for _ in range(8):
        number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
    CRC_TABLE.append(number)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = number << 1 ^ number >> 31
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def record_start(value_size):
    """Of a record without a key whose value and count of headers, one byte, follow."""
    body = b"\0" + varint(0) + varint(0) + varint(-1) + varint(value_size)
    return varint(len(body) + value_size + 1) + body


def batch_of(records, codec=0, producer=-1, sequence=-1):
    """One record, in the bytes that its codec made of it."""
    rest = struct.pack(">hiqqqhii", codec, 0, 1000, 1000, producer, -1 if producer < 0 else 0, sequence, 1) + records
    return struct.pack(">qiibI", 0, len(rest) + 9, -1, 2, crc32c(rest)) + rest


def batch(value, producer=-1, sequence=-1):
    """One record without a key."""
    return batch_of(record_start(len(value)) + value + b"\0", 0, producer, sequence)


def values(records):
    """(offset, value) of each batch as batch() makes them; the last one may be cut."""
    found = []
    while len(records) >= 12 and len(records) >= 12 + struct.unpack(">i", records[8:12])[0]:
        offset, length = struct.unpack(">qi", records[:12])
        if crc32c(records[21:12 + length]) != struct.unpack(">I", records[17:21])[0]:
            raise ValueError(f"the batch at offset {offset} is damaged")
        at, numbers = 61, []
        while len(numbers) < 6:  # Size, attributes, time, offset, key, value.
            number, shift = 0, 0
            while True:
                byte = records[at]
                at += 1
                number |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            numbers.append(number >> 1 ^ -(number & 1))
        found.append((offset, records[at:at + numbers[-1]]))
        records = records[12 + length:]
    return found


def unsigned_varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def string(text):
    text = text.encode() if isinstance(text, str) else text
    return struct.pack(">h", len(text)) + text


def frame(key, version, body, correlation=0, client=b"hostile"):
    head = struct.pack(">hhi", key, version, correlation) + string(client)
    return struct.pack(">i", len(head) + len(body)) + head + body


def metadata(names=None, correlation=0, create=False):
    if names is None:
        body = struct.pack(">i", -1)
    else:
        body = struct.pack(">i", len(names)) + b"".join(map(string, names))
    return frame(METADATA, 4, body + (b"\1" if create else b"\0"), correlation)


def create_topic(name, partitions):
    topic = string(name) + struct.pack(">ihii", partitions, 1, 0, 0)
    return frame(CREATE_TOPICS, 2, struct.pack(">i", 1) + topic + struct.pack(">i?", 30000, False))


def delete_topic(name):
    return frame(DELETE_TOPICS, 1, struct.pack(">i", 1) + string(name) + struct.pack(">i", 30000))


def produce(topic, partition, records, correlation=0, acks=-1):
    body = struct.pack(">hhii", -1, acks, 30000, 1) + string(topic) + struct.pack(">iii", 1, partition, len(records)) + records
    return frame(PRODUCE, 3, body, correlation)


def fetch(topic, partitions, offset=0, wait_ms=0, bytes_min=1, bytes_max=1 << 20, correlation=0):
    body = struct.pack(">iiiibi", -1, wait_ms, bytes_min, bytes_max, 0, 1) + string(topic) + struct.pack(">i", len(partitions))
    body += b"".join(struct.pack(">iqi", partition, offset, bytes_max) for partition in partitions)
    return frame(FETCH, 4, body, correlation)


class Client:
    def __init__(self, address, timeout=20, receive_buffer=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, int(port)))

    def __enter__(self):
        return self

    def __exit__(self, *_why):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive_exactly(self, count):
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(min(count - len(data), 1 << 20))
            if not part:
                raise ConnectionError("closed")
            data += part
        return bytes(data)

    def receive(self):
        """Correlation id and body of one answer; ConnectionError if the broker closed."""
        answer = self.receive_exactly(struct.unpack(">i", self.receive_exactly(4))[0])
        return struct.unpack(">i", answer[:4])[0], answer[4:]

    def ask(self, data):
        self.send(data)
        return self.receive()[1]

    def is_closed(self):
        """Waits for the end of the connection."""
        try:
            while self.socket.recv(1 << 16):
                pass
            return True
        except socket.timeout:
            return False
        except OSError:
            return True


def list_offsets(topic, partition, time):
    return frame(LIST_OFFSETS, 1, struct.pack(">ii", -1, 1) + string(topic) + struct.pack(">iiq", 1, partition, time))


def end_offset(answer, topic):
    """Of an answer to list_offsets() with time -1."""
    error, _time, offset = struct.unpack(">hqq", answer[4 + 2 + len(topic) + 4 + 4:][:18])
    if error != 0:
        raise ValueError(f"no end offset: error {error}")
    return offset


def fetched(answer, topic):
    """Error code and records of a fetch answer for one partition."""
    at = 4 + 4 + 2 + len(topic) + 4 + 4
    error, _watermark, _stable, aborted = struct.unpack(">hqqi", answer[at:at + 22])
    at += 22 + max(aborted, 0) * 16
    size = struct.unpack(">i", answer[at:at + 4])[0]
    return error, answer[at + 4:at + 4 + max(size, 0)]


def produced(answer, topic):
    """Error code and base offset of a produce answer for one partition."""
    return struct.unpack(">hq", answer[4 + 2 + len(topic) + 4 + 4:][:10])


def created(answer, name):
    """Error code of an answer to CreateTopics or DeleteTopics for one topic."""
    start = answer.index(string(name)) + 2 + len(name)
    return struct.unpack(">h", answer[start:start + 2])[0]


def noise(seed, size):
    return random.Random(seed).randbytes(size)
