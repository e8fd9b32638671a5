"""The host source: a fake clock and a fake machine, and one look at the real one."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import socket
from collections.abc import Iterator

import pytest

from watchband.adapters.sources.host import SECOND_NS, UNITS, HostSource, Sample, loopback, sample
from watchband.core.errors import InvalidParameterError
from watchband.core.ports import Batch, Source

START = 1_700_000_000 * SECOND_NS


class FakeClock:
    """Sleeping moves it; ``jumps`` are added to it at the n-th sleep. ``passed`` only goes forward."""

    def __init__(self, start: int = START + 250_000_000, jumps: dict[int, float] | None = None) -> None:
        self.time, self.jumps, self.sleeps, self.passed = start, jumps or {}, 0, 0.0

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.time += round((seconds + self.jumps.get(self.sleeps, 0.0)) * SECOND_NS)
        self.sleeps += 1


class FakeMachine:
    """Half busy, 100 bytes a second read and more of the others; ``without`` it does not know."""

    def __init__(self, clock: FakeClock, without: tuple[str, ...] = ()) -> None:
        self.clock, self.without = clock, without

    def __call__(self) -> Sample:
        t = self.clock.passed
        known = Sample(
            monotonic_s=t,
            cpu_busy_s=2 * t,
            cpu_total_s=4 * t,
            memory_percent=40.0,
            load_1m=0.5,
            disk_read_bytes=100 * t,
            disk_write_bytes=200 * t,
            network_received_bytes=300 * t,
            network_sent_bytes=400 * t,
        )
        return dataclasses.replace(known, **dict.fromkeys(self.without))


def table(batches: Iterator[Batch], count: int) -> tuple[list[float], dict[str, list[float]]]:
    """Seconds since START, and the values of every metric, of so many batches."""
    taken = list(itertools.islice(batches, count))
    times = [(int(b.readings[0].times[0]) - START) / SECOND_NS for b in taken]
    values: dict[str, list[float]] = {}
    for batch in taken:
        assert {int(r.times[0]) for r in batch.readings} == {int(batch.position)}
        for reading in batch.readings:
            values.setdefault(reading.key.metric, []).append(float(reading.values[0]))
    return times, values


def test_every_metric_once_a_second_on_whole_seconds() -> None:
    clock = FakeClock()
    source: Source = HostSource(clock=clock, probe=FakeMachine(clock))
    times, values = table(source.read(), 3)
    assert times == [1.0, 2.0, 3.0]
    assert list(values) == list(UNITS)
    for metric, expected in zip(UNITS, (50.0, 40.0, 0.5, 100.0, 200.0, 300.0, 400.0), strict=True):
        assert values[metric] == pytest.approx([expected] * 3)


def test_another_interval() -> None:
    clock = FakeClock()
    times, _ = table(HostSource(5 * SECOND_NS, clock, FakeMachine(clock)).read(), 2)
    assert times == [5.0, 10.0]
    with pytest.raises(InvalidParameterError, match=r"must be > 0\. Got 0"):
        HostSource(0, clock, FakeMachine(clock))


def test_what_a_container_does_not_report_is_left_out_and_said() -> None:
    clock = FakeClock()
    source = HostSource(clock=clock, probe=FakeMachine(clock, ("disk_read_bytes", "disk_write_bytes")))
    assert [str(k) for k in source.keys if "disk" in k.metric] == []
    assert source.notes == [
        "disk_read_bytes_per_second is left out: this machine does not report it.",
        "disk_write_bytes_per_second is left out: this machine does not report it.",
    ]
    _, values = table(source.read(), 1)
    assert list(values) == [k.metric for k in source.keys]
    assert len(values) == 5


def test_what_is_lost_on_the_way_is_missing_not_zero() -> None:
    clock = FakeClock()
    machine = FakeMachine(clock)
    batches = HostSource(clock=clock, probe=machine).read()
    table(batches, 1)
    machine.without = ("memory_percent", "network_sent_bytes", "cpu_total_s")
    _, values = table(batches, 1)
    lost = {name for name, v in values.items() if math.isnan(v[0])}
    assert lost == {"memory_percent", "network_sent_bytes_per_second", "cpu_percent"}
    machine.without = ()
    _, values = table(batches, 2)
    assert math.isnan(values["cpu_percent"][0])
    assert values["cpu_percent"][1] == pytest.approx(50)


def test_a_counter_that_falls_has_no_rate() -> None:
    clock = FakeClock()
    machine = FakeMachine(clock)
    shrunk = lambda: dataclasses.replace(machine(), network_received_bytes=50.0 if clock.sleeps == 2 else 1000.0)  # noqa: E731
    _, values = table(HostSource(clock=clock, probe=shrunk).read(), 3)
    received = values["network_received_bytes_per_second"]
    assert received[0] == 0
    assert math.isnan(received[1])
    assert received[2] == 950


def test_a_clock_that_jumps_ahead_leaves_a_gap_and_true_rates() -> None:
    clock = FakeClock(jumps={1: 3600.0})
    times, values = table(HostSource(clock=clock, probe=FakeMachine(clock)).read(), 3)
    assert times == [1.0, 3602.0, 3603.0]
    assert values["disk_read_bytes_per_second"] == pytest.approx([100.0] * 3)


def test_a_clock_that_goes_back_never_turns_time_back() -> None:
    clock = FakeClock(jumps={1: -10.0})
    source = HostSource(clock=clock, probe=FakeMachine(clock))
    times, values = table(source.read(), 15)
    assert times == [float(t) for t in range(1, 16)]
    assert values["disk_read_bytes_per_second"] == pytest.approx([100.0] * 15)
    assert sum("went back" in note for note in source.notes) == 1


def test_it_stops_on_request_and_begins_now_whatever_the_position() -> None:
    clock = FakeClock()
    source = HostSource(clock=clock, probe=FakeMachine(clock))
    batches = source.read(position="12345")
    assert int(next(batches).position) == START + SECOND_NS
    source.close()
    assert list(batches) == []


def test_a_consumer_that_takes_its_time_loses_moments_only() -> None:
    clock = FakeClock()
    batches = HostSource(clock=clock, probe=FakeMachine(clock)).read()
    times, _ = table(batches, 1)
    clock.sleep(4.5)
    later, values = table(batches, 2)
    assert times + later == [1.0, 6.0, 7.0]
    assert values["network_sent_bytes_per_second"] == pytest.approx([400.0] * 2)


@pytest.mark.parametrize(
    ("interface", "is_loopback"),
    [("lo", True), ("lo0", True), ("Loopback Pseudo-Interface 1", True), ("eth0", False), ("long0", False)],
)
def test_loopback_is_known_by_name(interface: str, is_loopback: bool) -> None:
    assert loopback(interface) is is_loopback


def test_this_machine() -> None:
    """Two real samples, without waiting; a fake clock stands in for the second between them."""
    clock = FakeClock()
    source = HostSource(clock=clock)
    _, values = table(source.read(), 1)
    real = sample()
    assert real.memory_percent is not None
    assert 0 < values["memory_percent"][0] < 100
    assert values["load_1m"][0] >= 0
    assert all(math.isnan(v[0]) or v[0] >= 0 for v in values.values())
    text = " ".join(map(str, source.keys)) + " ".join(source.notes)
    assert socket.gethostname() not in text
    assert os.environ.get("USER", "nobody at all") not in text
    assert {"host"} == {k.labels["source"] for k in source.keys}
