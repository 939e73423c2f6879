"""Apache Kafka 4.3.1 beside rafka. See README.md of the folder above.

    python3 bench/vs_kafka --build build --kafka-libs DIR            everything: the table and the picture
    python3 bench/vs_kafka ... --only produce --only closed          parts of it; their figures are kept
    python3 bench/vs_kafka --build build --table                     the table and the picture of the figures kept
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path

import picture
import sections
import table

bench_folder = Path(__file__).resolve().parents[1]


def main():
    parser = argparse.ArgumentParser(prog="vs_kafka", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"), help="a release build of this project")
    parser.add_argument("--kafka-libs", help="the folder with Kafka's jars (org.apache.kafka:kafka_2.13:4.3.1 and what it needs)")
    parser.add_argument("--directory", default=".", help="a folder on the disk to measure, 20 GB free")
    parser.add_argument("--results", type=Path, help="the file that figures are kept in (BUILD/vs_kafka.json)")
    parser.add_argument("--only", action="append", choices=list(sections.SECTIONS), default=[])
    parser.add_argument("--table", action="store_true", help="measures nothing")
    parser.add_argument("--quick", action="store_true", help="tries whether it runs; the figures are worth nothing and not kept")
    options = parser.parse_args()
    kept = options.results or options.build / "vs_kafka.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    if not options.table:
        if not options.kafka_libs:
            parser.error("--kafka-libs is needed")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # Not without the brokers.
        with sections.Bench(options.build.resolve(), options.kafka_libs, options.directory, options.quick) as bench:
            for name in options.only or sections.SECTIONS:
                print(name, file=sys.stderr, flush=True)
                began = time.monotonic()
                results[name] = sections.measure(bench, name)
                print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
                if not options.quick:
                    kept.write_text(json.dumps(results, indent=1))
    if options.table or not options.only or options.quick:
        text = table.markdown(results)
        print(text)
        if not options.quick:
            if "curve" in results:
                (bench_folder / "latency.svg").write_text(picture.svg(results))
                text += "\n\n![Latency over load](latency.svg)"
            table.put_into(bench_folder / "README.md", text)


main()
