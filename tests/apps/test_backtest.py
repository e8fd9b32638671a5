"""``watchband backtest``: resumes, isolates failures, compares, and says what it found."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import watchband as wb
from tests.apps.test_cli import run
from watchband.apps.library.backtest import work as work_module
from watchband.apps.library.backtest.spool import Spool
from watchband.apps.library.detect import detect
from watchband.apps.library.labels import write_labels
from watchband.core.errors import ConfigError, DataError, UnknownNameError
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label
from watchband.testing.streams import MINUTE, START

N = 1200
QUICK = ("--detector", "rolling_zscore:window=20", "--cutoff", "6")


def values_of(seed: int, fault: int | None = 800) -> np.ndarray:
    values = 10 + np.random.default_rng(seed).normal(0, 1, N)
    if fault is not None:
        values[fault : fault + 8] += 40
    return values


def write_series(path: Path, values: np.ndarray) -> None:
    moments = (START + MINUTE * np.arange(len(values))).view("M8[ns]").astype("M8[s]")
    rows = "".join(f"{t}Z,{v:.6f}\n" for t, v in zip(moments, values, strict=True))
    path.write_text("timestamp,value\n" + rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for k in range(4):
        write_series(folder / f"m{k}.csv", values_of(k, 800 if k else None))
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    write_labels(path, [Label(f"m{k}", START + 800 * MINUTE, START + 807 * MINUTE, "spike") for k in (1, 2, 3)])
    return path


def test_what_it_says(data: Path, labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = run("backtest", data, *QUICK, "--labels", labels, "--baselines", "--out", out, width=120)
    assert found.exit_code == 0, found.stderr
    assert "found 3 of 3 events, 0 false alerts" in " ".join(found.stdout.split())
    assert "static threshold 3 σ" in found.stdout
    assert "\x1b" not in found.stdout
    summary = json.loads((out / "summary.json").read_text())
    first = summary["candidates"][0]["figures"]
    assert 0 < summary["candidates"][0]["points"]["vus_pr"]["value"] <= 1
    assert (first["found"], first["events"], first["false"]) == (3, 3, 0)
    rows = list(csv.DictReader((out / "alerts.csv").read_text().splitlines()))
    mine = [row for row in rows if row["candidate"].startswith("rolling_zscore:")]
    assert [row["verdict"] for row in mine] == ["hit"] * 3
    assert len(pq.read_table(out / "alerts.parquet")) == len(rows)
    table = pq.read_table(out / "scores")
    assert len(table) == 4 * N * 3
    assert set(table.column_names) >= {"candidate", "series", "timestamp", "anomaly_score", "alert"}


def test_alerts_are_those_of_detect(data: Path) -> None:
    found = wb.backtest(str(data), detector=["auto", "ewma"], budget=["1/day", "1/week"], scores=False)
    for detector in ("auto", "ewma"):
        for budget in ("1/day", "1/week"):
            expected = sorted(repr(a) for a in detect(str(data), detector=detector, budget=budget).alerts)
            told = found.told
            name = f"{detector} · budget {budget}"
            assert sorted(repr(a) for one in told for a in one.outcomes[name][0].alerts) == expected


def test_without_a_directory_nothing_is_left(data: Path) -> None:
    found = wb.backtest(str(data), detector="ewma", cutoff=6)
    folder = found.ledger.folder
    assert pq.read_table(found.scores_of("m1", "ewma")).num_rows == N
    del found
    assert not folder.exists()


def test_a_second_run_replays_nothing(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    original = work_module.replay

    def counting(*args: object, **kwargs: object) -> None:
        calls.append("")
        original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(work_module, "replay", counting)
    out = tmp_path / "out"
    first = wb.backtest(str(data), detector="ewma", cutoff=6, out=out)
    assert len(calls) == 4
    again = wb.backtest(str(data), detector="ewma", cutoff=6, out=out)
    assert len(calls) == 4
    assert again.to_dict() == first.to_dict()
    wb.backtest(str(data), detector="ewma", cutoff=[6, 7], out=out)
    assert len(calls) == 8, "a new rule is replayed by itself"
    write_series(data / "m2.csv", values_of(99))
    wb.backtest(str(data), detector="ewma", cutoff=[6, 7], out=out)
    assert len(calls) == 9, "of changed data only what changed"
    next((out / "replay").glob("*.json")).write_text("{")
    wb.backtest(str(data), detector="ewma", cutoff=[6, 7], out=out)
    assert len(calls) in (9, 10), "a damaged record is made again"


KILLED = """
import sys, time
import watchband.apps.library.backtest.work as work
import watchband as wb
original = work.Ledger.commit
def slow(self, key, record, part):
    original(self, key, record, part)
    print("kept", flush=True)
    time.sleep(0.4)
work.Ledger.commit = slow
wb.backtest(sys.argv[1], detector="ewma", cutoff=6, out=sys.argv[2], jobs=1)
"""


def test_a_killed_run_goes_on(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", KILLED, data, out], stdout=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    assert process.stdout.readline() == b"kept\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    kept = {p.name: p.stat().st_mtime_ns for p in (out / "replay").glob("*.json")}
    assert 1 <= len(kept) < 4
    (out / "scores" / "half.part").write_bytes(b"half")
    time.sleep(0.01)
    found = wb.backtest(str(data), detector="ewma", cutoff=6, out=out)
    after = {p.name: p.stat().st_mtime_ns for p in (out / "replay").glob("*.json")}
    assert len(after) == 4
    assert kept.items() <= after.items(), "what was kept is not made again"
    assert not list(out.rglob("*.part"))
    assert not list(out.glob("*.spool"))
    whole = wb.backtest(str(data), detector="ewma", cutoff=6)
    assert found.to_dict() == whole.to_dict()


def broken(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    if np.nanmax(values) < 20:
        raise ZeroDivisionError("no spike, no score")
    return np.abs(values - 10)


def test_one_series_never_stops_the_others(data: Path) -> None:
    found = wb.backtest(str(data), detector=[broken, "ewma"], cutoff=20)
    assert [(f.series, f.candidate) for f in found.failures] == [("m0", "broken")]
    assert "no spike, no score" in found.failures[0].error
    assert found.figures["broken"].series == 3
    assert found.figures["broken"].alerts == 3


def test_if_nothing_can_be_replayed_it_says_why(data: Path) -> None:
    def never(times: np.ndarray, values: np.ndarray) -> np.ndarray:
        return values[:-1]

    with pytest.raises(DataError, match="Expected one each"):
        wb.backtest(str(data), detector=never)


def test_outside_programs_take_part(data: Path, labels: Path) -> None:
    program = f"exec:{sys.executable} -c \"import sys, json\nfor l in sys.stdin: print(json.loads(l)['value'] or 0)\""
    found = wb.backtest(str(data / "m1.csv"), detector=program, cutoff=30, labels=labels)
    assert [one.found for one in found.figures.values()] == [1]


@pytest.mark.parametrize(
    ("condition", "code"),
    [("event_recall < 0.8", 0), ("alerts_per_week > 3 or event_recall < 0.8", 1), ("event_f1 >= 0.99", 1)],
)
def test_fail_if(data: Path, labels: Path, condition: str, code: int) -> None:
    found = run("backtest", data, *QUICK, "--labels", labels, "--quiet", "--fail-if", condition)
    assert found.exit_code == code, found.stderr
    assert found.stdout == ""
    assert ("holds of rolling_zscore:window=20" in found.stderr) == bool(code)


BAD = [
    (("--fail-if", "event_recal < 1"), "Did you mean 'event_recall'"),
    (("--detector", "ewmaa"), "Did you mean 'ewma'"),
    (("--policy", "consecutve=3"), "Did you mean 'consecutive'"),
    (("--detector", "ewma", "--detector", "ewma"), "2 times"),
    (("--from", "2024-01-02", "--to", "2024-01-01"), "not after"),
    (("--from", "2035-01-01"), "No reading counts"),
    (("--to", "2015-01-01"), "No reading counts"),
    (("--warm-up", "900d"), "No reading counts"),
    (("--split-gap", "1d"), "Give --splits too"),
    (("--labels", "nothing.csv"), "No such label file"),
    (("--budget", "often"), "budget"),
]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_mistakes_are_told(data: Path, words: tuple[str, ...], said: str) -> None:
    found = run("backtest", data, *words)
    assert found.exit_code == 2
    assert said in found.stderr
    assert found.stderr.count("\n") == 1


def test_splits_with_one_candidate_say_that_nothing_is_chosen(data: Path, labels: Path) -> None:
    found = run("backtest", data, *QUICK, "--labels", labels, "--splits", "2")
    assert "--splits had nothing to choose from" in found.stdout


def test_a_figure_that_is_not_known_is_no_verdict(data: Path) -> None:
    found = run("backtest", data, *QUICK, "--fail-if", "event_recall < 0.8")
    assert found.exit_code == 2
    assert "event_recall is not known" in found.stderr


def test_labels_of_other_series_are_refused(data: Path) -> None:
    with pytest.raises(ConfigError, match=r"names 'm11', and there is 'm1'"):
        wb.backtest(str(data), detector="ewma", labels=[Label("m11", START, START)])


def test_a_folder_of_somebody_else_is_left_alone(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    assert run("backtest", data, *QUICK, "--out", out).exit_code == 2
    assert [p.name for p in out.iterdir()] == ["thesis.txt"]


def test_two_runs_do_not_write_to_one_folder(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = wb.backtest(str(data), detector="ewma", cutoff=6, out=out)
    with first.ledger.alone(), pytest.raises(ConfigError, match="Another backtest is writing"):
        wb.backtest(str(data), detector="ewma", cutoff=7, out=out)
    with first.ledger.alone(), pytest.raises(ConfigError, match="Another backtest is writing"):
        first.write()
    (out / "manifest.json").unlink()
    for path in [*out.glob("*.*"), *out.glob("*/*.*")]:
        path.unlink()
    wb.backtest(str(data), detector="ewma", cutoff=7, out=out)  # as after a kill before the first manifest


def test_periods_and_splits(data: Path, labels: Path) -> None:
    begin = "2024-01-01T10:00"
    found = wb.backtest(
        str(data), detector="ewma", cutoff=[6, 60], labels=labels, begin=begin, splits=2, split_gap="1h"
    )
    assert found.choices is not None
    assert [one.chosen for one in found.choices.splits] == ["ewma · cutoff 6.0"] * 2
    assert found.told[0].span.start == START + 600 * MINUTE
    cut = wb.backtest(str(data), detector="ewma", cutoff=6, labels=labels, end="2024-01-01T13:00")
    assert cut.figures["ewma"].events == 0
    assert cut.figures["ewma"].alerts == 0
    with pytest.raises(UnknownNameError):
        cut.outcomes("ewna")


def test_what_comes_after_the_end_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    times, values = START + np.arange(9000) * MINUTE, np.random.default_rng(3).normal(10, 1, 9000)
    whole = wb.backtest((times, values), detector="ewma", cutoff=3, end="2024-01-02T00:00")
    known = times < START + 1440 * MINUTE
    cut = wb.backtest((times[known], values[known]), detector="ewma", cutoff=3)
    assert whole.told[0].span == cut.told[0].span
    assert whole.figures["ewma"].values() == pytest.approx(cut.figures["ewma"].values(), nan_ok=True)


def test_policies_side_by_side(data: Path, labels: Path) -> None:
    found = wb.backtest(
        str(data), detector="ewma", cutoff=4, policy=["", "consecutive=3", {"direction": "below"}], labels=labels
    )
    names = ["ewma · as it is", "ewma · consecutive=3", "ewma · direction=below"]
    assert found.names == names
    assert found.figures[names[2]].found == 0
    assert found.figures[names[1]].alerts <= found.figures[names[0]].alerts


def test_feedback_knows_something_and_not_everything(data: Path, tmp_path: Path) -> None:
    first = wb.backtest(str(data), detector="rolling_zscore:window=20", cutoff=6)
    ids = {series: told.alert.id for _, series, told in first.alerts()}
    start, end = (str(np.datetime64(START + k * MINUTE, "ns")) for k in (800, 807))
    path = tmp_path / "feedback.csv"
    path.write_text(
        f"alert,verdict,series,start,end\n{ids['m1']},true,,,\n{ids['m2']},expected,,,\n,missed,m0,{start},{end}\nffff,false,,,\n"
    )
    found = wb.backtest(str(data), detector="rolling_zscore:window=20", cutoff=6, feedback=path)
    one = next(iter(found.figures.values()))
    assert (one.found, one.missed, one.false, one.quiet, one.unknown) == (1, 1, 1, 1, 1)
    assert {series: told.verdict for _, series, told in found.alerts()} == {"m1": "hit", "m2": "quiet", "m3": "unknown"}
    assert "such as ffff" in found.notes[-1]
    told = run("backtest", data, *QUICK, "--feedback", path, width=120)
    assert "1 that nobody rated" in " ".join(told.stdout.split())
    path.write_text("alert,verdict\nab,maybe\n")
    told = run("backtest", data, *QUICK, "--feedback", path)
    assert told.exit_code == 2
    assert "row 1: Unknown verdict 'maybe'" in told.stderr


def test_the_spool_gives_back_what_it_got(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    row = rng.integers(0, 3, 5000).astype(np.int32)
    times, values = rng.integers(0, 10**12, 5000), rng.normal(size=5000)
    keys = [SeriesKey(name) for name in "abc"]

    class Part:
        def __init__(self, where: slice) -> None:
            self.row, self.times, self.values = row[where], times[where], values[where]
            self.ordinal, self.keys = np.arange(5000)[where], keys

    digests = []
    for step in (5000, 701):
        with Spool(tmp_path) as spool:
            spool.take(Part(slice(a, a + step)) for a in range(0, 5000, step))
            for number in range(3):
                got = [np.concatenate(part) for part in zip(*spool.chunks(number), strict=True)]
                assert got[0].tolist() == times[row == number].tolist()
                assert got[1].tobytes() == values[row == number].tobytes()
                early = got[0][got[0] < 10**11]
                assert spool.before(number, 10**11) == (len(early), early.max())
                assert spool.before(number, None) == (len(got[0]), got[0].max())
                assert spool.before(number, -5) == (0, got[0].min() - 1)
                assert [len(t) for t, _ in spool.chunks(number, 500)][:-1] == [500] * (len(got[0]) // 500)
            digests.append([one.digest for one in spool.series])
        assert not spool.path.exists()
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_narrow_terminal_has_fewer_figures_not_cut_ones(data: Path, labels: Path, width: int) -> None:
    found = run("backtest", data, *QUICK, "--labels", labels, "--baselines", width=width)
    table = found.stdout[found.stdout.index("Candidate") :]
    assert "…" not in table
    assert "static threshold" in table
    assert "F1" in table


def test_a_group_of_commands_alone_shows_its_help() -> None:
    found = run("bench")
    assert found.exit_code == 2
    assert "watchband: ." not in found.stderr
