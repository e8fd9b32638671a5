"""Risk as a fold over the log: the same labels as in a batch, in any cut; it goes on after a restart; it alerts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.analysis.risk.conftest import HOSTS
from watchband.adapters.stores.memory import MemoryStore
from watchband.analysis.risk.fit import Fitted
from watchband.analysis.risk.live import Making, RiskFold
from watchband.analysis.risk.naming import Risk
from watchband.analysis.risk.rows import Rows, cleaned
from watchband.apps.config.risk import RiskSettings
from watchband.core.alert import Alert
from watchband.core.errors import StateCorruptError
from watchband.core.events import WatermarkMoved
from watchband.core.levels import RISK_STATE
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.evaluation.simulate.scenes.hosts import INCIDENTS, ROWS, STEP_NS
from watchband.features.cloudwatch10 import NAMES
from watchband.pipeline.runner import Runner

HALF = 1_250
"""Rows of each host: the first two incidents are among them."""


@pytest.fixture(scope="module")
def making(fitted: Fitted) -> Making:
    return Making(fitted.labeller, ("host",))


def entries(rows: Rows, size: int, upto: int = HALF) -> Iterator[list[Readings]]:
    """The hosts' metrics, so many moments at a time."""
    parts = [rows.take(rows.entity == host) for host in range(4)]
    for start in range(0, upto, size):
        cut = slice(start, min(start + size, upto))
        yield [
            Readings(SeriesKey(metric, {"host": HOSTS[h]}), part.times[cut], part.values[cut, f], "push")
            for h, part in enumerate(parts)
            for f, metric in enumerate(NAMES)
        ]


def given(fold: RiskFold, rows: Rows, size: int) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for readings in entries(rows, size):
        for one in fold.step(readings, ()):
            assert one.key.metric == RISK_STATE
            pairs = zip(one.times.tolist(), one.values.tolist(), strict=True)
            found.setdefault(one.key.labels["host"], []).extend(pairs)
    return found


@pytest.mark.parametrize("size", [1, 37])
def test_streams_get_the_labels_of_a_batch_whatever_the_cut(rows: Rows, making: Making, size: int) -> None:
    labels = making.labeller.label(rows, making.labeller.known(HOSTS))
    found = given(making(), rows, size)
    for number, host in enumerate(HOSTS):
        mine = rows.entity == number
        latency = cleaned(rows.values[mine][:HALF, 6], np.array(0.0), np.array(np.inf))
        states = labels.state[mine][:HALF]
        # Where a latency cannot be, a stream has the last one; everywhere else the bits are the batch's.
        same = np.array([s for _, s in found[host]]) == states
        assert same[~np.isnan(latency)].all()
        assert [t for t, _ in found[host]] == rows.times[mine][:HALF].tolist()


def test_a_restart_goes_on_with_the_same_bits(rows: Rows, making: Making) -> None:
    whole, first, second = making(), making(), making()
    every = list(entries(rows, 50))
    expected = [fold_out for readings in every for fold_out in whole.step(readings, ())]
    got = [out for readings in every[:7] for out in first.step(readings, ())]
    second.load(first.to_bytes())
    got += [out for readings in every[7:] for out in second.step(readings, ())]
    assert [(str(o.key), o.times.tobytes(), o.values.tobytes()) for o in got] == [
        (str(o.key), o.times.tobytes(), o.values.tobytes()) for o in expected
    ]
    assert second.to_bytes() == whole.to_bytes()


def test_what_the_log_has_of_it_is_passed_over(rows: Rows, making: Making) -> None:
    fold = making()
    readings = next(entries(rows, 10))
    found = fold.step(readings, ())
    assert fold.step(found, ()) == []


def test_a_silent_metric_is_done_without_once_the_watermark_is_past(rows: Rows, making: Making) -> None:
    fold = making()
    for readings in entries(rows, 1, 5):
        assert fold.step([r for r in readings if r.key.metric != "Latency_ms"], ()) == []
    end = int(rows.times[4])
    found = fold.step([], [WatermarkMoved(end + 2 * STEP_NS, "push")])
    assert {str(one.key) for one in found} == {f'risk_state{{host="{h}"}}' for h in HOSTS}
    assert fold.pivot.lacks(0) == [6]


def test_silence_ends_a_state(rows: Rows, making: Making) -> None:
    fold = making()
    parts = list(entries(rows, 1, 40))
    for readings in (*parts[:5], *parts[30:32]):
        fold.step(readings, ())
    assert (int(rows.times[5]), int(Risk.UNKNOWN)) in fold.standing["3"].past


def test_a_foreign_state_is_refused(making: Making) -> None:
    with pytest.raises(StateCorruptError):
        making().load(b"x")


def runner_of(store: MemoryStore, making: Making) -> Runner:
    runner = Runner([RiskSettings(route=()).watch.bound("risk")], store, shard="main")
    runner.labelling = making
    return runner


def run(rows: Rows, making: Making, restart: bool) -> list[Alert]:
    store = MemoryStore()
    runner = runner_of(store, making)
    for number, readings in enumerate(entries(rows, 8)):
        if restart and number % 20 == 7:
            runner = runner_of(store, making)
        runner.step("push", Batch(readings, str(number)))
    return sorted(store.alerts(), key=lambda alert: alert.opened)


def test_an_entity_that_becomes_critical_is_an_alert_with_its_reason(rows: Rows, making: Making) -> None:
    alerts = run(rows, making, restart=False)
    assert [str(np.datetime64(a.opened, "ns"))[5:16] for a in alerts] == list(INCIDENTS[:2])
    assert {str(a.series) for a in alerts} == {'risk_state{host="3"}'}
    assert {a.severity for a in alerts} == {"critical"}
    assert all(a.closed is not None for a in alerts)
    assert 'risk_state{host="3"} was Critical' in alerts[0].reason
    assert "CPU bottleneck: CPU 223 % (usual 80 %), latency 165 ms" in alerts[0].reason
    assert [a.id for a in run(rows, making, restart=True)] == [a.id for a in alerts]


def test_over_two_weeks_the_six_incidents_alert_and_the_busy_host_never_by_its_load(rows: Rows, making: Making) -> None:
    store = MemoryStore()
    runner = runner_of(store, making)
    for number, readings in enumerate(entries(rows, 250, ROWS)):
        runner.step("push", Batch(readings, str(number)))
    alerts = sorted(store.alerts(), key=lambda alert: alert.opened)
    assert [str(np.datetime64(a.opened, "ns"))[5:16] for a in alerts] == list(INCIDENTS)
    assert {a.series.labels["host"] for a in alerts} == {"3"}
    past = [state for _, state in runner.live().deriving.labels.standing["3"].past]  # type: ignore[union-attr]
    assert past.count(Risk.CRITICAL) <= len(INCIDENTS)
    assert Risk.HIGH_LOAD in past


def test_two_of_three_rows_leave_single_ones_alone(rows: Rows, making: Making) -> None:
    store = MemoryStore()
    runner = Runner([RiskSettings(m_of_n="2/3", route=()).watch.bound("risk")], store, shard="main")
    runner.labelling = making
    for number, readings in enumerate(entries(rows, 100)):
        runner.step("push", Batch(readings, str(number)))
    assert not list(store.alerts())
