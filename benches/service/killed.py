"""``watchband serve`` killed in its first minutes: a restart with snapshots by the hour, and by what they save."""

from __future__ import annotations

import http.client
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benches.service.fold import MINUTE, keys_of, values_of
from tests.kill.load import RemoteWrite
from tests.kill.served import Served, free_port

MINUTES = 240
"""Readings of each series, one a minute, as fast as they are taken."""
KEEPER_S = 12.0
"""The process looks for what is worth a snapshot every ten seconds."""
CONFIG = """\
sources: {{remote_write: {{kind: remote_write}}}}
watches: {{all: {{match: requests, detector: "{detector}"}}}}
store: {{kind: sqlite, path: "{directory}"}}
server: {{listen: "127.0.0.1:{port}", max_body: 64MB}}
engine: {{max_series: 1000000, max_memory: 16GB, snapshot_work: {work}}}
"""


@dataclass(frozen=True)
class Killed:
    """CPU seconds of a restart, until it is ready, after all that was folded had cost ``folded_s``."""

    detector: str
    series: int
    folded_s: float
    hourly_s: float
    by_work_s: float

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"serve, {self.detector}, {self.series:,} series, killed after {MINUTES} readings of each "
            f"({self.folded_s:.1f} s CPU):",
            f"  CPU of a restart {self.hourly_s:.1f} s with a snapshot an hour, {self.by_work_s:.1f} s with one "
            "whenever five seconds of work are at stake",
        ]


def killed(detector: str, series: int) -> Killed:
    """Serve, kill, serve again; once with snapshots by the hour alone, once as it comes."""
    folded_s, hourly_s = _restarted(detector, series, "1d")
    _, by_work_s = _restarted(detector, series, "5s")
    return Killed(detector, series, folded_s, hourly_s, by_work_s)


def _restarted(detector: str, series: int, work: str) -> tuple[float, float]:
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        config = directory / "watchband.yaml"
        config.write_text(CONFIG.format(detector=detector, directory=directory / "data", port=port, work=work))
        process = Served(config, port)
        process.start()
        try:
            process.until_ready()
            began = _cpu(process)
            _send(port, series)
            folded = _cpu(process) - began
            time.sleep(KEEPER_S)
            process.kill()
            process.start()
            process.until_ready()
            return folded, _cpu(process)
        finally:
            process.remove()


def _cpu(process: Served) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def _send(port: int, series: int) -> None:
    writer = RemoteWrite(keys_of(series))
    start = (time.time_ns() // MINUTE - MINUTES) * MINUTE
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for minute in range(MINUTES):
        body = writer.body(start + minute * MINUTE, values_of(series, minute).tolist())
        status = 0
        while status != 204:
            connection.request("POST", "/api/v1/write", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            status = answer.status
    connection.close()
