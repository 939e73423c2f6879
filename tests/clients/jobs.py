"""What the adapters in Python share: the loop over jobs of README.md's contract."""

import base64
import json
import sys
import time


def to_bytes(text):
    return None if text is None else base64.b64decode(text)


def to_text(data):
    return None if data is None else base64.b64encode(data).decode()


class Gathering:
    """The records of all topics of some jobs, as they come in, until all are there or a minute is over."""

    def __init__(self, jobs):
        self.wanted = {job["topic"]: job["count"] for job in jobs}
        self.records = {topic: [] for topic in self.wanted}
        self.errors = {}
        self.left = sum(self.wanted.values())
        self.deadline = time.monotonic() + 60

    def goes_on(self):
        return self.left > 0 and time.monotonic() < self.deadline

    def add(self, topic, offset, timestamp, key, value, headers):
        self.left -= 1
        self.records[topic].append({
            "offset": offset, "timestamp": timestamp, "key": to_text(key), "value": to_text(value),
            "headers": [[name, to_text(text)] for name, text in headers],
        })

    def answers(self):
        for topic, count in self.wanted.items():
            if len(self.records[topic]) < count:
                why = self.errors.get(topic, self.errors.get(None))
                yield {"topic": topic, "error": f"{len(self.records[topic])} records of {count}; {why}"}
            else:
                yield {"topic": topic, "records": self.records[topic]}


def each(work):
    """One job after the other."""
    def answers(bootstrap, jobs):
        for job in jobs:
            try:
                answer = work(bootstrap, job)
            except Exception as problem:  # Whatever it is, the matrix must hear of it.
                answer = {"error": f"{type(problem).__name__}: {problem}"}
            yield {"topic": job["topic"], **answer}
    return answers


def serve(version, write, read):
    """An adapter's main: `write` and `read` take a bootstrap address and all jobs, and yield their answers."""
    verb, bootstrap = sys.argv[1:3]
    if verb == "version":
        print(version())
        return
    jobs = [json.loads(line) for line in sys.stdin]
    for answer in {"write": write, "read": read}[verb](bootstrap, jobs):
        print(json.dumps(answer), flush=True)
