"""What a log directory must hold: every record that was acknowledged, and how each kind of reader must see it."""

import base64
import hashlib


def shown(data):
    """As DirectoryAdapter.java shows bytes: short ones as they are, of long ones length and digest."""
    if data is None:
        return None
    if len(data) <= 64:
        return base64.b64encode(data).decode()
    return f"{len(data)}:{hashlib.sha256(data).hexdigest()}"


class Record:
    def __init__(self, key, value, headers=(), timestamp=None):
        self.key = key
        self.value = value
        self.headers = list(headers)
        self.timestamp = timestamp

    def job(self):
        text = lambda data: None if data is None else base64.b64encode(data).decode()  # noqa: E731
        return {"key": text(self.key), "value": text(self.value), "timestamp": self.timestamp,
                "headers": [[name, text(value)] for name, value in self.headers]}

    def seen(self, offset, timestamp, kind):
        headers = [[name, shown(value)] for name, value in self.headers]
        return [offset, timestamp, kind, shown(self.key), shown(self.value), headers]


class Partition:
    def __init__(self, compacted=False, append_time=False):
        self.compacted = compacted
        self.kind = "LogAppendTime" if append_time else "CreateTime"
        self.records = {}   # Offset: as seen by a reader.
        self.aborted = set()
        self.open = {}      # Of transactions that have not ended: offset, transaction.
        self.epochs = {}    # Offset: leader epoch, from when it was first read.
        self.start = 0
        self.last_reading = {}

    def add(self, records, offsets, timestamps, transaction=None):
        for record, offset, timestamp in zip(records, offsets, timestamps):
            self.records[offset] = record.seen(offset, timestamp, self.kind)
            if transaction:
                self.open[offset] = transaction

    def end(self, transaction, commit):
        for offset in [offset for offset, one in self.open.items() if one == transaction]:
            del self.open[offset]
            if not commit:
                self.aborted.add(offset)

    def differences(self, isolation, reading, exact):
        """What is wrong with what a reader saw. `exact`: no cleaner has run since the last reading."""
        wrong = []
        end = reading["end"]
        if reading["reached"] < end:
            wrong.append(f"reading stopped at {reading['reached']} of {end}")
        if reading["start"] != self.start:
            wrong.append(f"starts at {reading['start']}, not {self.start}")
        if isolation == "read_committed" and self.open and end != max(min(self.open), self.start):
            wrong.append(f"committed records end at {end}, not {min(self.open)}")
        if not self.open and end <= max(self.records, default=-1):
            wrong.append(f"ends at {end}, before record {max(self.records)}")
        hidden = self.aborted if isolation == "read_committed" else set()
        expected = {o: r for o, r in self.records.items() if self.start <= o < end and o not in hidden}
        seen = {}
        for offset, timestamp, kind, epoch, key, value, headers in reading["records"]:
            if offset in seen or offset < max(seen, default=-1):
                wrong.append(f"record {offset} comes again, or late")
            seen[offset] = [offset, timestamp, kind, key, value, headers]
            if self.epochs.setdefault(offset, epoch) != epoch:
                wrong.append(f"record {offset} has epoch {epoch}, not {self.epochs[offset]}")
        for offset in sorted(seen.keys() - expected.keys()):
            wrong.append(f"record {offset} should not be there: {seen[offset]}")
        for offset in sorted(seen.keys() & expected.keys()):
            if seen[offset] != expected[offset]:
                wrong.append(f"record {offset} is {seen[offset]}, not {expected[offset]}")
        missing = expected.keys() - seen.keys()
        if self.compacted:
            missing = self.missing_of_compacted(isolation, expected, seen, exact)
        for offset in sorted(missing):
            wrong.append(f"record {offset} is missing: {expected[offset]}")
        self.last_reading[isolation] = set(seen)
        return wrong

    def missing_of_compacted(self, isolation, expected, seen, exact):
        """The newest committed record of each key must stay; without a cleaner, all that was there and all that came."""
        newest = {expected[o][3]: o for o in sorted(expected) if o not in self.aborted}
        missing = set(newest.values()) - seen.keys()
        if exact:
            before = self.last_reading.get(isolation, set())
            missing |= {o for o in expected if (o in before or o > max(before, default=-1)) and o not in seen}
        return missing

