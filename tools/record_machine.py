"""Record this machine's metrics while a small steady load runs and faults are caused on purpose.

It made ``python/watchband/apps/cli/recording.csv.gz`` (see docs/demo.md). The load keeps the bands from
being trivially narrow; each fault is written to the labels with its true start and end.
Run on a machine that does nothing else: ``python tools/record_machine.py --out DIR`` (20 minutes).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import multiprocessing
import os
import random
import tempfile
import threading
import time
from pathlib import Path

import psutil

MEBIBYTE = 1 << 20
# (name, start in seconds, length in seconds, the metrics it must move)
PLAN = (
    ("cpu_burn", 480, 45, ["cpu_percent"]),
    ("memory_fill", 690, 45, ["memory_percent"]),
    ("disk_writes", 900, 45, ["disk_write_bytes_per_second"]),
    ("cpu_burn", 1080, 30, ["cpu_percent"]),
)


def steady_load(seconds: float) -> None:
    """A service's everyday work: about a tenth of a core, a cycle of a minute, small writes."""
    rng = random.Random(7)
    begin = time.monotonic()
    with tempfile.NamedTemporaryFile() as file:
        while (now := time.monotonic() - begin) < seconds:
            share = 0.16 + 0.06 * math.sin(2 * math.pi * now / 60) + rng.gauss(0, 0.02)
            busy_until = time.monotonic() + 0.2 * max(share, 0.02)
            while time.monotonic() < busy_until:
                math.sqrt(now)
            if rng.random() < 0.5:
                file.seek(0)
                file.write(os.urandom(rng.randrange(64, 192) * 1024))
                file.flush()
                os.fsync(file.fileno())
            time.sleep(max(0.0, 0.2 - 0.2 * share))


def burn_cpu(seconds: float) -> None:
    """Keep every core busy."""

    def spin() -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass

    workers = [multiprocessing.Process(target=spin) for _ in range(psutil.cpu_count() or 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def fill_memory(seconds: float) -> None:
    """Hold a fifth of the memory, touched page by page."""
    size = psutil.virtual_memory().total // 5
    block = bytearray(size)
    for offset in range(0, size, 4096):
        block[offset] = 1
    time.sleep(seconds)


def write_disk(seconds: float) -> None:
    """Write and flush 32 MiB after 32 MiB."""
    until = time.monotonic() + seconds
    data = os.urandom(32 * MEBIBYTE)
    with tempfile.NamedTemporaryFile(dir=Path.cwd()) as file:
        while time.monotonic() < until:
            file.seek(0)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


FAULTS = {"cpu_burn": burn_cpu, "memory_fill": fill_memory, "disk_writes": write_disk}


def counters() -> tuple[int, int, int, int]:
    disk = psutil.disk_io_counters()
    cards = [c for name, c in psutil.net_io_counters(pernic=True).items() if name != "lo"]
    return (
        disk.read_bytes if disk else 0,
        disk.write_bytes if disk else 0,
        sum(c.bytes_recv for c in cards),
        sum(c.bytes_sent for c in cards),
    )


COLUMNS = (
    "timestamp",
    "cpu_percent",
    "memory_percent",
    "load_1m",
    "disk_read_bytes_per_second",
    "disk_write_bytes_per_second",
    "network_received_bytes_per_second",
    "network_sent_bytes_per_second",
)


def cause_faults(begin: float, labels: list[dict[str, object]]) -> None:
    for name, start, length, metrics in PLAN:
        time.sleep(max(0.0, begin + start - time.time()))
        onset = time.time()
        worker = multiprocessing.Process(target=FAULTS[name], args=(length,))
        worker.start()
        worker.join()
        labels.append({"fault": name, "start": int(onset), "end": math.ceil(time.time()), "metrics": metrics})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=1200)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    load = multiprocessing.Process(target=steady_load, args=(options.seconds + 10,))
    load.start()
    labels: list[dict[str, object]] = []
    begin = math.ceil(time.time())
    threading.Thread(target=cause_faults, args=(begin, labels), daemon=True).start()
    psutil.cpu_percent()
    last, last_time = counters(), time.time()
    with gzip.open(options.out / "recording.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for second in range(1, options.seconds + 1):
            time.sleep(max(0.0, begin + second - time.time()))
            now, new = time.time(), counters()
            rates = [round(max(b - a, 0) / (now - last_time), 1) for a, b in zip(last, new, strict=True)]
            cpu, memory = psutil.cpu_percent(), psutil.virtual_memory().percent
            writer.writerow([begin + second, cpu, memory, round(os.getloadavg()[0], 2), *rates])
            last, last_time = new, now
    load.terminate()
    (options.out / "recording_labels.json").write_text(json.dumps(labels, indent=1) + "\n")


if __name__ == "__main__":
    main()
