"""Live equals replay: what was served, checked against its log, exported, recomputed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import watchband as wb
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.sqlite.export import export
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.cli.main import app
from watchband.apps.library.options import Options
from watchband.core.clock import SystemClock
from watchband.core.errors import ConfigError, StateCorruptError
from watchband.core.events import Recomputed, WatermarkMoved
from watchband.core.ports import Arrival, Batch, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import Bound
from watchband.pipeline.pulse import Pulse
from watchband.pipeline.recompute import WITHDRAWN, recompute
from watchband.pipeline.replay import check
from watchband.pipeline.results import Results
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch_state import WatchState
from watchband.testing.streams import MINUTE, START

POINTS = 24 * 60
NAME = "detect"
KEYS = [SeriesKey("cpu", {"host": "a", "zone": "x"}), SeriesKey("cpu", {"host": "b"}), SeriesKey("queue length")]
DETECTOR = "light"
CONFIG = f"""
sources: {{push: {{kind: push}}}}
watches: {{{NAME}: {{match: '*', detector: {DETECTOR}, budget: 1/day}}}}
store: {{kind: sqlite, path: data}}
"""


def values(series: int) -> np.ndarray:
    found = 50 + 5 * np.sin(np.arange(POINTS) / 60) + np.random.default_rng(series).normal(0, 1, POINTS)
    found[700 + 100 * series : 712 + 100 * series] += 40
    found[300 + series] = np.nan
    return np.asarray(found)


def batches(late: bool = False) -> list[Batch]:
    """A day, a reading a minute; some batches hold one minute, some many, some readings come twice."""
    rng = np.random.default_rng(7)
    cuts = np.unique(np.r_[0, rng.integers(0, POINTS, 150), POINTS])
    moments = START + np.arange(POINTS) * MINUTE
    all_values = [values(s) for s in range(len(KEYS))]
    found = []
    for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        mine = np.arange(max(0, start - 1) if rng.random() < 0.2 else start, stop)
        readings = [Readings(k, moments[mine], all_values[s][mine]) for s, k in enumerate(KEYS)]
        if late and 500 <= start < 1000:
            # Half of the readings of the first series come at the end of the day.
            readings[0] = Readings(KEYS[0], moments[mine][1::2], all_values[0][mine][1::2])
        found.append(Batch(readings, str(stop), [WatermarkMoved(int(moments[stop - 1]))]))
    if late:
        rest = np.arange(500, 1100)
        found.append(Batch([Readings(KEYS[0], moments[rest], all_values[0][rest])], "late"))
    return found


def bound() -> Bound:
    watch = dataclasses.replace(Options(detector=DETECTOR, budget="1/day").watch(NAME), pulse=Pulse())
    return Bound(watch, sinks=("x",))


def serve(store: SqliteStore, some: Sequence[Batch], at: Bound, seen: list[Results] | None = None) -> Runner:
    runner = Runner(
        [at], store, shard="main", snapshot_points=700, on_results=seen.append if seen is not None else None
    )
    for batch in some:
        runner.step("push", batch)
    return runner


NUMBERS = ("y", "yhat", "yhat_lower", "yhat_upper", "score", "p_value", "anomaly_score", "alert_score")


def rows(results: Sequence[Results]) -> dict[tuple[str, int], tuple[object, ...]]:
    found: dict[tuple[str, int], tuple[object, ...]] = {}
    for r in results:
        bits = [getattr(r, name).view(np.int64).tolist() for name in NUMBERS]
        for row, time, *said in zip(r.row.tolist(), r.time.tolist(), *bits, r.alert.tolist(), strict=True):
            found[str(r.keys[row]), time] = tuple(said)
    return found


def rows_of(table: pa.Table) -> dict[tuple[str, int], tuple[object, ...]]:
    bits = [table[name].to_numpy().view(np.int64).tolist() for name in NUMBERS]
    at = table["timestamp"].cast("int64").to_pylist()
    parts = zip(table["series"].to_pylist(), at, *bits, table["alert"].to_pylist(), strict=True)
    return {(series, time): (*said[:-1], said[-1] or "") for series, time, *said in parts}


def test_detect_on_the_exported_log_gives_the_verdicts_of_the_served_day(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data")
    seen: list[Results] = []
    # Served in two lives of the process.
    some = batches()
    serve(store, some[:80], bound(), seen)
    serve(store, some[80:], bound(), seen)
    count, labels = export(store, "main", tmp_path / "day.parquet", (-(2**63), 2**63 - 1))
    store.close()
    assert labels == {"host": "host", "zone": "zone"}
    assert count == pq.read_table(tmp_path / "day.parquet").num_rows > 3 * POINTS
    found = wb.detect(
        tmp_path / "day.parquet", detector=DETECTOR, budget="1/day", label=["host", "zone"], value="value"
    )
    live = rows(seen)
    assert len(live) == 3 * POINTS
    replayed = rows_of(found.table)
    assert replayed.keys() == live.keys()
    different = [at for at, said in live.items() if replayed[at] != said]
    assert not different, f"{len(different)} verdicts differ, first {different[:3]}"
    told = {a.series: a for r in seen for a in r.alerts if a.kind not in ("no data", "stuck")}
    assert {(str(a.series), a.opened, a.closed, a.anomaly_score) for a in told.values()} <= {
        (str(a.series), a.opened, a.closed, a.anomaly_score) for a in found.alerts
    }
    assert len(told) == 3


def test_a_time_that_comes_twice_in_one_batch_stops_no_watch() -> None:
    def states(cuts: Sequence[Sequence[int]]) -> WatchState:
        runner = Runner([bound()], MemoryStore(), shard="main")
        for number, cut in enumerate(cuts):
            at = START + np.array(cut) * MINUTE
            runner.step("push", Batch([Readings(KEYS[0], at, np.asarray(cut, float))], str(number)))
        assert not runner.stopped
        return runner.live().lanes[NAME].state

    once, twice = states([[0, 1, 2], [3, 4]]), states([[0, 1, 1, 2], [3, 3, 4]])
    assert once.pulse
    assert twice.pulse
    assert once.pulse.same_bits(twice.pulse)


def test_a_check_folds_the_log_and_compares(tmp_path: Path) -> None:
    store, some = SqliteStore(tmp_path / "data"), batches()
    assert check(bound(), store, "main").same is None
    runner = serve(store, some, bound())
    runner.save()
    said = check(bound(), store, "main")
    assert (said.same, said.newer, said.newer > said.older) == (True, len(some), True)
    look = SqliteStore(tmp_path / "data", readonly=True)
    assert check(bound(), look, "main") == said
    look.close()
    (state,) = store.states()
    assert len(state.snapshots) == 3
    older = store.restore("main", NAME, state.snapshots[1].sequence)
    assert older
    store.snapshot("main", NAME, len(some), older[1])
    assert check(bound(), store, "main").same is False
    store.snapshot("main", NAME, 5, older[1])
    assert "one snapshot" not in check(bound(), store, "main").says, "the log from its beginning is still there"
    changed = dataclasses.replace(bound(), selector="cpu")
    assert "configuration has changed" in check(changed, store, "main").says
    store.close()


def test_what_came_late_takes_its_place(tmp_path: Path) -> None:
    calm, store = SqliteStore(tmp_path / "calm"), SqliteStore(tmp_path / "late")
    serve(calm, batches(), bound())
    runner = serve(store, batches(late=True), bound())
    late = [r for e in store.log("main", 0) for r in e.readings if r.arrival is Arrival.LATE]
    assert sum(len(r.times) for r in late) > 200
    before = {a.id: a for a in store.alerts()}
    waiting = len(store.outbox(2**62))
    dry = recompute(bound(), store, "main", SystemClock(), dry=True)
    assert {a.id: a for a in store.alerts()} == before
    said = recompute(bound(), store, "main", SystemClock())
    assert dry == said
    assert said.late == sum(len(r.times) for r in late)
    assert len(store.outbox(2**62)) == waiting, "somebody was told"
    kept = {a.id: a for a in store.alerts() if WITHDRAWN not in a.reason and a.kind not in ("no data", "stuck")}
    assert kept == {a.id: a for a in calm.alerts() if a.kind not in ("no data", "stuck")}
    assert (said.added + said.changed + said.withdrawn) > 0
    (last,) = store.log("main", store.head("main") - 1)
    (event,) = last.events
    assert isinstance(event, Recomputed)
    assert (event.watch, event.through) == (NAME, last.sequence - 1)
    again = serve(
        store, [Batch([Readings(KEYS[0], np.array([START + 2 * POINTS * MINUTE]), np.ones(1))], "new")], bound()
    )
    assert not again.stopped
    assert again.live().lanes[NAME].state.rows == runner.live().lanes[NAME].state.rows
    calm.close()
    store.close()


def test_sinks_are_told_of_revisions_only_if_that_is_wanted(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "late")
    serve(store, batches(late=True), bound())
    store.delivered(store.outbox(2**62))
    while left := store.outbox(2**62):
        store.delivered(left)
    said = recompute(bound(), store, "main", SystemClock(), sinks=["x"])
    told = store.outbox(2**62)
    assert 0 < len(told) <= said.added + said.changed + said.withdrawn
    assert all(n.alert.watch == NAME for n in told)
    store.close()


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("watchband.yaml").write_text(CONFIG)
    store = SqliteStore("data")
    from watchband.apps.config.config import read_config

    (mine,) = read_config("watchband.yaml").bounds()
    serve(store, batches(), mine).save()

    def said(*args: str, code: int = 0) -> str:
        found = CliRunner().invoke(app, [*args])
        assert found.exit_code == code, found.output
        return found.output

    data = ("--data", "data")
    (listed,) = json.loads(said("state", "list", *data, "--json"))
    newest, older, oldest = (s["sequence"] for s in listed["snapshots"])
    assert (listed["watch"], listed["series"], listed["head"], newest) == (NAME, 3, newest, newest)
    assert NAME in said("state", "list", *data)
    assert said("state", "check").startswith(f"✓ {NAME}: {newest - oldest} entries folded again from entry {oldest}")
    said("state", "export", NAME, "s.state", *data)
    assert "no such snapshot" in said("state", "export", NAME, "x.state", *data, "--sequence", "2", code=2)
    assert "in use by another process" in said("state", "revert", NAME, *data, code=2)
    assert "in use by another process" in said("recompute", code=2)
    assert "watchband detect" in said("log", "export", "day.csv", *data, "--since", "2024-01-01T06:00")
    store.close()
    assert f"behind entry {older} again" in said("state", "revert", NAME, *data)
    assert json.loads(said("state", "list", *data, "--json"))[0]["snapshots"][0]["sequence"] == older
    assert "3 series" in said("state", "import", "s.state", *data)
    assert json.loads(said("state", "list", *data, "--json"))[0]["snapshots"][0]["sequence"] == newest
    assert said("recompute", "--dry-run") == f"{NAME}: nothing came late.\n"
    Path("s.state").write_bytes(Path("s.state").read_bytes()[:-1])
    assert "damaged" in said("state", "import", "s.state", *data, code=2)
    assert "No watch is called" in said("state", "check", "nope", code=2)


def test_an_export_says_what_it_cannot(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data")
    everything = (-(2**63), 2**63 - 1)
    with pytest.raises(ConfigError, match="no readings"):
        export(store, "main", tmp_path / "x.csv", everything)
    with pytest.raises(ConfigError, match="written to"):
        export(store, "main", tmp_path / "x.txt", everything)
    key = SeriesKey("cpu", {"value": "1", "host": "a"})
    serve(store, [Batch([Readings(key, np.array([START]), np.ones(1))], "1")], bound())
    assert export(store, "main", tmp_path / "x.csv", everything) == (1, {"host": "host", "label_value": "value"})
    with pytest.raises(ConfigError, match="there already"):
        export(store, "main", tmp_path / "x.csv", everything)
    store.close()
    from watchband.pipeline.watch_state import keys_of

    with pytest.raises(StateCorruptError):
        keys_of(b"no state")
