"""The demo: faults of the recording are found and explained; a busy machine is told, a quiet one is left alone."""

from __future__ import annotations

import io
import socket
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml
from rich.console import Console

from watchband.adapters.sources.host import HostSource, Sample
from watchband.apps.cli import demo
from watchband.apps.cli.demo_service import DemoService, configuration
from watchband.apps.cli.demo_view import Board
from watchband.apps.cli.demo_watches import watch_of
from watchband.apps.cli.recording import load_recording
from watchband.apps.config.config import read_text

SECOND = 1_000_000_000
GIBIBYTE = 1 << 30


class Machine:
    """A clock and a machine that is busy from one moment to another, without any waiting."""

    def __init__(self, busy_from: int = 10**9, busy_to: int = 10**9) -> None:
        self.time = 1_704_067_200 * SECOND
        self.begin = self.time
        self.busy_from, self.busy_to = busy_from, busy_to
        self.cpu = 0.0
        self.rng = np.random.default_rng(3)

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += round(seconds * SECOND)
        elapsed = (self.time - self.begin) / SECOND
        busy = 2.0 if self.busy_from <= elapsed < self.busy_to else 0.1
        self.cpu += seconds * busy * (1 + 0.1 * self.rng.normal())

    def probe(self) -> Sample:
        elapsed = (self.time - self.begin) / SECOND
        return Sample(
            monotonic_s=elapsed,
            cpu_busy_s=self.cpu,
            cpu_total_s=2 * elapsed,
            memory_percent=30 + 0.2 * self.rng.normal(),
            load_1m=0.3 + 0.02 * self.rng.normal(),
            disk_read_bytes=0.0,
            disk_write_bytes=elapsed * 100_000,
            network_received_bytes=elapsed * 2000,
            network_sent_bytes=elapsed * 1000,
        )

    def source(self, readings: int) -> HostSource:
        source = HostSource(clock=self, probe=self.probe)
        real = source.read

        def limited(position: str | None = None):  # type: ignore[no-untyped-def]
            for count, batch in enumerate(real(position), start=1):
                yield batch
                if count == readings:
                    return

        source.read = limited  # type: ignore[method-assign]
        return source


def console(terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, height=40, highlight=False)


def text(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_the_faults_of_the_recording_are_found_and_explained() -> None:
    screen = console()
    alerts = demo.play(screen, load_recording())
    assert "4 of 4 faults found" in text(screen)
    others = [a for a in alerts.values() if demo.caused(a, load_recording().faults) is None]
    assert len(others) <= 1
    for alert in alerts.values():
        assert "band widths" in alert.reason or alert.kind == "pattern"


def test_a_machine_that_becomes_busy_after_half_a_minute_is_told() -> None:
    screen = console()
    alerts = demo.watch_host(screen, Machine(busy_from=30, busy_to=50).source(60), None)
    (alert,) = [a for a in alerts.values() if a.series.metric == "cpu_percent"]
    assert "cpu_percent" in text(screen)
    assert alert.direction == "above"
    assert alert.confidence < 0.5, "after half a minute nobody can be sure"


@pytest.mark.parametrize("seed", range(3))
def test_a_quiet_machine_stays_quiet(seed: int) -> None:
    machine = Machine()
    machine.rng = np.random.default_rng(seed)
    screen = console()
    assert demo.watch_host(screen, machine.source(200), None) == {}
    assert "0 alerts" in text(screen)


def test_on_a_terminal_there_is_a_live_view() -> None:
    screen = console(terminal=True)
    demo.watch_host(screen, Machine(busy_from=40, busy_to=60).source(60), None)
    shown = text(screen)
    assert "memory_percent" in shown
    assert "expected" in shown


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 50), (200, 60)])
def test_the_view_fits_the_terminal(size: tuple[int, int]) -> None:
    board = Board("this machine")
    bench = demo.Bench(demo.MemoryStore, [], "UTC")
    source = Machine(busy_from=35, busy_to=50).source(45)
    for batch in source.read():
        for metric, results in bench.step(source.name, batch).items():
            board.add(metric, results)
    screen = Console(file=io.StringIO(), width=size[0], height=size[1])
    screen.print(board.render(*size))
    lines = text(screen).split("\n")
    assert max(map(len, lines)) <= size[0]
    assert len(lines) <= size[1] + 1


def test_it_ends_by_itself_where_nobody_looks() -> None:
    assert demo.UNATTENDED == 60 * SECOND


def test_the_dashboard_of_the_demo_shows_the_recording_and_this_machine() -> None:
    with DemoService(load_recording()) as service:
        assert service.url.startswith("http://127.0.0.1:"), service.error
        assert service.url in str(demo.link(service))
        folder = service._folder
        with httpx.Client(base_url=service.url, timeout=30) as client:
            assert "<script" in client.get("").text
            incidents = client.get("api/v1/incidents").json()["data"]
            told = {
                alert["series"]
                for one in incidents
                for alert in client.get(f"api/v1/incidents/{one['id']}").json()["alerts"]
            }
            names = client.get("api/v1/series", params={"text": 'source="host"'})
            assert names.status_code == 200
    # What was caused on purpose is found there too, with its sentence.
    for metric in ("cpu_percent", "memory_percent", "disk_write_bytes_per_second"):
        assert f'{metric}{{source="recording"}}' in told
    assert folder is not None
    assert not folder.exists(), "nothing stays behind"
    assert not any(thread.name in ("engine", "http", "courier") for thread in threading.enumerate())


def test_a_port_that_is_taken_is_no_reason_to_show_nothing() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with DemoService(None, port) as service:
            assert service.url
            assert f":{port}/" not in service.url


def test_without_the_dashboard_the_demo_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.apps.server.dashboard.built", lambda: False)
    with DemoService(None) as service:
        assert service.url == ""
        assert "npm" in str(demo.link(service))


def test_its_watches_are_those_of_the_terminal() -> None:
    found = read_text(yaml.safe_dump(configuration(Path("x"), 1)), "demo").watches
    for metric, settings in found.items():
        mine, shown = settings.watch(metric), watch_of(metric)
        assert (mine.rule, mine.policy.min_deviation) == (shown.rule, shown.policy.min_deviation), metric
        assert mine.policy.logical_range == shown.policy.logical_range
