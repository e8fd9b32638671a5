"""Real servers on free loopback ports, started and stopped by a test."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

HEALTH_S = 30.0


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def program(name: str, package: str) -> str:
    """The path of an installed program."""
    path = shutil.which(name)
    assert path, f"This test needs {name}: apt-get install {package}"
    return path


@contextlib.contextmanager
def running(command: list[str], ready: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program, once ``ready`` answers 200, until the block ends."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            until = time.monotonic() + HEALTH_S
            while not _answers(ready):
                assert process.poll() is None, f"{command[0]} ended: {log.read_text()[-2000:]}"
                assert time.monotonic() < until, f"{command[0]} is not ready: {log.read_text()[-2000:]}"
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def prometheus(folder: Path, config: str = "", *flags: str, openmetrics: str = "") -> Iterator[str]:
    """Debian's Prometheus over ``folder``; its address. ``openmetrics`` is history that it has from the start."""
    data = folder / "prometheus"
    if openmetrics:
        text = folder / "history.om"
        text.write_text(openmetrics)
        promtool = program("promtool", "prometheus")
        made = [promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data)]
        subprocess.run(made, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text(config or "global: {scrape_interval: 1h}\n")
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [
        program("prometheus", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    with running(command, f"{address}/-/ready", folder / "prometheus.log"):
        yield address


@contextlib.contextmanager
def victoria_metrics(folder: Path, *flags: str) -> Iterator[str]:
    """Debian's VictoriaMetrics; its address."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [
        program("victoria-metrics", "victoria-metrics"),
        f"-storageDataPath={folder / 'victoria'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=10y",
        "-search.maxStalenessInterval=5m",
        *flags,
    ]
    with running(command, f"{address}/health", folder / "victoria.log"):
        yield address


def imported(address: str, lines: str) -> None:
    """Put JSON lines of VictoriaMetrics' own form into it, and wait until they can be found."""
    for path, body in (("/api/v1/import", lines.encode()), ("/internal/force_flush", b"")):
        request = urllib.request.Request(address + path, body, method="POST")
        urllib.request.urlopen(request, timeout=30).close()


def query(address: str, path: str, fields: Mapping[str, str]) -> bytes:
    """The body of a GET."""
    with urllib.request.urlopen(f"{address}{path}?{urllib.parse.urlencode(fields)}", timeout=30) as answer:
        return bytes(answer.read())
