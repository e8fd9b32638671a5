"""``watchband serve`` under remote write and push: readings a second, memory, and how soon somebody is told."""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benches.service.fold import MINUTE, keys_of, values_of
from tests.kill.load import RemoteWrite, wait_for
from tests.kill.receiver import Receiver
from tests.kill.served import Served, free_port

REQUEST_SERIES = 2_000
"""Series of a request, as Prometheus cuts them."""
SENDERS = 4
WARM, MEASURED, SPIKES = 25, 6, 8
CONFIG = """\
sources: {{push: {{kind: push}}, remote_write: {{kind: remote_write}}}}
watches:
  all: {{match: requests, detector: "{detector}"}}
  probe: {{match: probe, detector: "rolling_zscore:window=20", cutoff: 6.0, close_after: 1}}
sinks: {{receiver: {{kind: webhook, url: "{url}", allow_private: true, per_minute: 0}}}}
store: {{kind: sqlite, path: "{directory}"}}
server: {{listen: "127.0.0.1:{port}", max_body: 64MB}}
engine: {{max_series: 1000000, max_memory: 16GB}}
"""


@dataclass(frozen=True)
class Wired:
    """What one process took."""

    detector: str
    series: int
    readings: int
    wall_s: float
    cpu_s: float
    rss_bytes: int
    latency_ms: list[float]

    def lines(self) -> list[str]:
        """For people."""
        middle, worst = np.median(self.latency_ms), max(self.latency_ms)
        return [
            f"serve, {self.detector}, {self.series:,} series by remote write in {SENDERS} streams:",
            f"  {self.readings / self.wall_s:,.0f} readings a second of the clock, "
            f"CPU {1e9 * self.cpu_s / self.readings:,.0f} ns a reading, memory {self.rss_bytes / 1e6:,.0f} MB",
            f"  from the push of a spike to the receiver {middle:.0f} ms (median of {len(self.latency_ms)}), "
            f"at most {worst:.0f} ms",
        ]


def served(detector: str, series: int) -> Wired:
    """Start a process, send to it, and stop it."""
    receiver, port = Receiver(), free_port()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        config = directory / "watchband.yaml"
        config.write_text(CONFIG.format(detector=detector, url=receiver.url, directory=directory / "data", port=port))
        process = Served(config, port)
        process.start()
        try:
            process.until_ready()
            return _measured(detector, series, port, psutil.Process(process.pid), receiver)
        finally:
            process.remove()
            receiver.close()


def _measured(detector: str, series: int, port: int, process: psutil.Process, receiver: Receiver) -> Wired:
    keys, start = keys_of(series), time.time_ns() // MINUTE * MINUTE
    parts = [keys[at : at + REQUEST_SERIES] for at in range(0, series, REQUEST_SERIES)]
    writers = [RemoteWrite(part) for part in parts]
    bodies = []
    for minute in range(2 + MEASURED):
        values = values_of(series, minute).tolist()
        bodies.append(
            [
                writer.body(start + minute * MINUTE, values[at * REQUEST_SERIES : (at + 1) * REQUEST_SERIES])
                for at, writer in enumerate(writers)
            ]
        )
    for minute in range(2):
        _send_all(port, [bodies[minute]])
    before, began = process.cpu_times(), time.perf_counter()
    _send_all(port, bodies[2:])
    wall, after = time.perf_counter() - began, process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    latency = _latency(port, receiver, start)
    return Wired(detector, series, series * MEASURED, wall, cpu, process.memory_info().rss, latency)


def _send_all(port: int, minutes: list[list[bytes]]) -> None:
    """Every stream sends its share of the series, minute by minute."""

    def work(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for requests in minutes:
            for body in requests[number::SENDERS]:
                status = 0
                while status != 204:
                    connection.request("POST", "/api/v1/write", body, {"Content-Type": "application/x-protobuf"})
                    answer = connection.getresponse()
                    answer.read()
                    status = answer.status
                    if status != 204:
                        assert status in (429, 503), status
                        time.sleep(0.1)
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _latency(port: int, receiver: Receiver, start: int) -> list[float]:
    """Milliseconds from the sending of a spike to its notice, a few times."""
    found, step = [], 0
    for _ in range(SPIKES):
        for _ in range(WARM):
            _push(port, start + step * MINUTE, 10.0 + step % 3)
            step += 1
        told = len(receiver.deliveries)
        began = time.perf_counter()
        _push(port, start + step * MINUTE, 90.0)
        step += 1
        wait_for(lambda told=told: len(receiver.deliveries) > told, 30, "a notice")
        found.append(1000 * (time.perf_counter() - began))
        for _ in range(3):
            _push(port, start + step * MINUTE, 10.0 + step % 3)
            step += 1
        time.sleep(0.2)
    return found


def _push(port: int, moment: int, value: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps([{"series": "probe", "time": moment, "value": value}])
    connection.request("POST", "/api/v1/points", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == 200, said
    connection.close()
