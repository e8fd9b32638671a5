"""``--out``: what is written, that it agrees with the table, and that a crash leaves nothing half done."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
import pytest

import watchband as wb
from watchband.apps.library.engine import Outcome, run
from watchband.apps.library.gather import POINTS_MAX, Gatherer
from watchband.apps.library.job import execute
from watchband.apps.library.options import Options
from watchband.apps.library.outputs import pictures
from watchband.apps.library.outputs.folder import check_target, output_folder
from watchband.apps.library.outputs.scores import GROUP_ROWS, ScoresWriter
from watchband.apps.library.outputs.top import TopPoints
from watchband.apps.library.rows import COLUMNS, Rows
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE, times

QUICK: dict[str, Any] = {"detector": "rolling_zscore:window=20", "cutoff": 6.0}


def metrics(folder: Path, names: tuple[str, ...] = ("cpu",), n: int = 300) -> Path:
    rng = np.random.default_rng(11)
    columns = {name: 10 + rng.normal(0, 1, n) for name in names}
    for values in columns.values():
        values[200:203] += 30
    lines = ["timestamp," + ",".join(names)]
    moments = times(n, MINUTE).view("M8[ns]").astype("M8[s]")
    lines += [f"{t}Z," + ",".join(f"{columns[k][i]:.5f}" for k in names) for i, t in enumerate(moments)]
    path = folder / "metrics.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_promised_file_is_there_and_agrees(tmp_path: Path) -> None:
    result = wb.detect(metrics(tmp_path), **QUICK, out=tmp_path / "out")
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == [
        "alerts.json", "anomaly_plot.png", "report.html", "scores.csv", "scores.parquet", "summary.json",
        "top_50_anomalies.csv",
    ]  # fmt: skip
    from_parquet = parquet.read_table(tmp_path / "out" / "scores.parquet")
    assert from_parquet.equals(result.table)
    from_csv = arrow_csv.read_csv(tmp_path / "out" / "scores.csv")
    assert tuple(from_csv.column_names) == COLUMNS
    for name in COLUMNS[2:-2]:
        assert from_csv[name].to_pylist() == result.table[name].to_pylist(), name
    document = json.loads((tmp_path / "out" / "alerts.json").read_text())
    assert [a["id"] for a in document["alerts"]] == [a.id for a in result.alerts]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["files"] == names
    assert summary["counts"] == result.outcome.counts()
    with (tmp_path / "out" / "top_50_anomalies.csv").open() as file:
        top = list(csv.DictReader(file))
    assert len(top) == 50
    assert [float(r["anomaly_score"]) for r in top] == sorted((float(r["anomaly_score"]) for r in top), reverse=True)
    assert [r["is_anomaly"] for r in top].count("1") == result.outcome.anomalies


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    path = metrics(tmp_path)
    for name in ("a", "b"):
        wb.detect(path, **QUICK, out=tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_several_series_have_a_plot_each(tmp_path: Path) -> None:
    wb.detect(metrics(tmp_path, ("cpu", "disk io/%")), **QUICK, out=tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out" / "plots").iterdir()) == ["cpu.png", "disk_io.png"]
    assert (tmp_path / "out" / "plots" / "cpu.png").read_bytes().startswith(b"\x89PNG")


def test_file_names_are_safe_and_different() -> None:
    keys = [SeriesKey("a/b"), SeriesKey("a b"), SeriesKey("A_B"), SeriesKey("../../etc"), SeriesKey("·")]
    names = pictures.file_names(keys)
    assert len({n.lower() for n in names}) == len(names)
    assert all(n.replace("-", "").replace("_", "").replace(".", "").isalnum() and n[0] != "." for n in names)


def test_a_run_replaces_a_run(tmp_path: Path) -> None:
    path, out = metrics(tmp_path, ("cpu", "load")), tmp_path / "out"
    wb.detect(path, **QUICK, out=out)
    wb.detect(metrics(tmp_path), **QUICK, out=out)
    assert not (out / "plots").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_foreign_content_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path, out = metrics(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match=r"holds 'thesis.txt', which Watchband did not write"):
        wb.detect(path, **QUICK, out=out)
    (out / "thesis.txt").rename(tmp_path / "thesis.txt")
    wb.detect(path, **QUICK, out=out)
    (tmp_path / "thesis.txt").rename(out / "scores.txt")
    with pytest.raises(ConfigError, match=r"scores\.txt"):
        check_target(out)
    with pytest.raises(ConfigError, match="is a file"):
        check_target(path)


def test_a_crash_leaves_nothing_half_done(tmp_path: Path) -> None:
    path, out = metrics(tmp_path), tmp_path / "out"
    wb.detect(path, **QUICK, out=out)
    before = (out / "scores.csv").read_bytes()

    def fail() -> None:
        with output_folder(out) as folder:
            (folder / "scores.csv").write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert (out / "scores.csv").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_top_points_of_equal_score_are_the_earliest_and_each_once() -> None:
    top = TopPoints(3)
    key = [SeriesKey("a")]
    for start in (3, 0):
        n = np.arange(start, start + 3)
        rows = Rows.unscored(np.zeros(6, np.int32), np.repeat(n, 2), np.ones(6), np.repeat(n, 2))
        rows.anomaly_score[:] = 2.0
        top.take(rows, key)
    assert top.rows.time.tolist() == [0, 1, 2]


class Stream:
    """A made-up stream of ``n`` readings in batches, so that nothing but the engine holds memory."""

    title, notes = "stream", ("made up",)

    def __init__(self, n: int, batch: int) -> None:
        self.n, self.batch = n, batch

    def batches(self) -> Iterator[Any]:
        from watchband.adapters.sources.files import FileBatch

        keys = [SeriesKey("cpu")]
        for start in range(0, self.n, self.batch):
            number = np.arange(start, min(start + self.batch, self.n))
            values = 10 + (number * 7919 % 101) / 50.0
            row = np.zeros(len(number), np.int32)
            yield FileBatch(start, row, number * MINUTE, values, number, number, keys)


def test_memory_is_bounded_by_the_batch(tmp_path: Path) -> None:
    outcome: Outcome | None = None
    gatherer = Gatherer()
    stream = Stream(300_000, 5_000)
    watch = Options(**QUICK, resample="5m").watch()
    with ScoresWriter(tmp_path) as writer:
        outcome = run(watch, stream.batches(), consumers=[writer, gatherer, TopPoints()])
    assert outcome.rows == 300_000
    assert outcome.rows_held_max <= 2 * 5_000 + 1000
    assert writer.rows_held_max <= GROUP_ROWS + 5_000 + 1000
    view = gatherer.views(outcome.keys, [], outcome.quality)[0]
    assert len(view) <= POINTS_MAX
    assert view.points == 300_000
    assert parquet.read_metadata(tmp_path / "scores.parquet").num_rows == 300_000


def test_long_series_keep_their_anomalies_in_the_picture() -> None:
    gatherer = Gatherer()
    key = [SeriesKey("cpu")]
    strange = np.array([10, 12_345, 70_000, 99_999])
    for start in range(0, 100_000, 9_000):
        n = np.arange(start, min(start + 9_000, 100_000))
        rows = Rows.unscored(np.zeros(len(n), np.int32), n * MINUTE, np.sin(n / 50), n)
        rows.anomaly_score[:] = np.where(np.isin(n, strange), 3.0, 0.1)
        gatherer.take(rows, key)
    view = gatherer.views(key, [], [])[0]
    assert set(strange * MINUTE) <= set(view.times.tolist())
    assert view.y.max() > 0.99
    assert view.y.min() < -0.99


def test_without_rows_memory_stays_bounded_and_counts_are_the_same(tmp_path: Path) -> None:
    options = Options(**QUICK)
    whole = execute(Stream(20_000, 20_000), options, keep_rows=True)
    parts = execute(Stream(20_000, 777), options)
    assert whole.outcome.counts() == parts.outcome.counts()
    assert [a.id for a in whole.alerts] == [a.id for a in parts.alerts]


def test_the_stretch_around_an_alert_is_kept_point_by_point() -> None:
    gatherer = Gatherer()
    key = [SeriesKey("cpu")]
    for start in range(0, 200_000, 7_001):
        n = np.arange(start, min(start + 7_001, 200_000))
        rows = Rows.unscored(np.zeros(len(n), np.int32), n * MINUTE, np.sin(n / 50), n)
        rows.alert[(n >= 35_005) & (n < 35_025)] = "a"
        gatherer.take(rows, key)
    view = gatherer.views(key, [], [])[0]
    assert len(view) < POINTS_MAX
    assert (np.diff(view.times) > 0).all()
    kept = view.times[(view.times >= 34_890 * MINUTE) & (view.times <= 35_300 * MINUTE)]
    assert len(kept) == 35_300 - 34_890 + 1
