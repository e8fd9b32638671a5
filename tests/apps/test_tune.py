"""``wb.tune`` and ``watchband tune``: what is chosen runs as it is printed, and the report says what it rests on."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import watchband as wb
from tests.apps.test_cli import run
from watchband.apps.cli.main import app
from watchband.apps.library.tuning.page import render
from watchband.apps.library.tuning.tuning import Tuning
from watchband.core.errors import ConfigError, DataError, MissingExtraError
from watchband.testing.streams import MINUTE

STEP = 5 * MINUTE
POINTS = 3000
assert app


NAMES = ("a", "b", "c")


def readings(
    size: float = 10.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, list[tuple[str, np.datetime64, np.datetime64]]]:
    """Times, values and labels of one series: a swing of 20 a day, noise of 1, spikes of ``size``."""
    rng = np.random.default_rng(seed)
    times = (1_700_000_000 * 10**9 + np.arange(POINTS) * STEP).view("M8[ns]")
    values = 50 + 20 * np.sin(2 * np.pi * np.arange(POINTS) / 288) + rng.normal(0, 1, POINTS)
    events = []
    for begin in range(300, POINTS - 60, 90):
        at = begin + int(rng.integers(0, 45))
        values[at : at + 2] += size
        events.append((NAMES[seed], times[at], times[at + 6]))
    return times, values, events


def frame() -> tuple[pa.Table, list[tuple[str, np.datetime64, np.datetime64]]]:
    """Three of them in one table, and all labels."""
    made = [readings(seed=seed) for seed in range(len(NAMES))]
    columns = {
        "time": np.concatenate([t for t, _, _ in made]),
        "series": np.repeat(NAMES, POINTS),
        "value": np.round(np.concatenate([v for _, v, _ in made]), 4),
    }
    return pa.table(columns), [label for _, _, labels in made for label in labels]


WRONG = {"detector": "rolling_zscore:window=2000", "among": "none", "budget": "3/day", "trials": 9}


@pytest.fixture(scope="module")
def better() -> Tuning:
    return wb.tune(*frame(), **WRONG)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tune")
    table, events = frame()
    pyarrow.csv.write_csv(table, folder / "cpu.csv")
    with (folder / "labels.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("series", "start", "end"), *((n, f"{a}Z", f"{b}Z") for n, a, b in events)])
    return folder / "cpu.csv", folder / "labels.csv"


def test_a_wrong_default_proves_worse_and_the_better_one_can_be_kept(better: Tuning, tmp_path: Path) -> None:
    assert better.decision == "better"
    assert better.chosen.parameters["window"] < 300
    kept = json.loads(better.save(tmp_path / "kept.json").read_text())
    assert kept == better.chosen.document()
    assert better.save(tmp_path / "kept.yaml").read_text().startswith("watchband_configuration: 1\n")
    with pytest.raises(ConfigError, match="YAML or JSON"):
        better.save(tmp_path / "kept.toml")
    assert "better" in repr(better)


def test_the_flags_run_as_they_are_printed(better: Tuning, files: tuple[Path, Path]) -> None:
    result = run("detect", files[0], *shlex.split(better.flags), "--json")
    assert result.exit_code == 0, result.stderr
    settings = json.loads(result.stdout)["settings"]
    assert settings["detector"] == better.chosen.text
    assert settings["rule"] == better.chosen.rule


def test_the_command_line_says_what_the_library_says(better: Tuning, files: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["--labels", files[1], "--detector", WRONG["detector"], "--among", "none", "--budget", "3/day"]
    storage, out = tmp_path / "study.journal", tmp_path / "out"
    first = run("tune", files[0], *words, "--trials", "4", "--storage", storage, "--json")
    assert first.exit_code == 0, first.stderr
    result = run("tune", files[0], *words, "--trials", "9", "--storage", storage, "--out", out, "--jobs", "2")
    assert result.exit_code == 0, result.stderr
    assert "Better on the part that no search saw" in result.stdout.replace("\n", " ")
    assert "23 configurations tried" in result.stdout
    assert "rule of 35 rows" in result.stdout
    assert "seasonal_naive" in result.stdout
    document = json.loads((out / "summary.json").read_text())
    assert document["flags"] == better.flags
    assert [r["label"] for r in document["rows"]] == [r.label for r in better.result.rows]  # type: ignore[union-attr]
    assert len(document["trials"]) == 9
    assert document["files"] == ["configuration.json", "configuration.yaml", "report.html", "summary.json"]
    # A later run replaces what an earlier one wrote, and nothing else.
    (out / "mine.txt").write_text("mine")
    refused = run("tune", files[0], *words, "--trials", "4", "--out", out)
    assert refused.exit_code == 2
    assert "mine.txt" in refused.stderr


@pytest.mark.parametrize("width", [80, 110])
def test_no_line_is_wider_than_the_terminal(files: tuple[Path, Path], width: int) -> None:
    words = ["--labels", files[1], "--detector", "ewma", "--among", "rolling_zscore", "--trials", "3"]
    result = run("tune", files[0], *words, width=width)
    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= width
    budget = run("tune", files[0], "--detector", "ewma", "--budget", "2/day", width=width)
    assert budget.exit_code == 0, budget.stderr
    assert max(map(len, budget.stdout.splitlines())) <= width


def test_without_labels_the_budget_is_tuned_and_optuna_is_not_needed(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    result = run("tune", files[0], "--detector", "ewma:half_life=600", "--budget", "1/day", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["kind"] == "budget"
    assert document["asked_a_week_per_series"] == 7
    assert document["chosen_option"]["test"]["low"] is not None
    refused = run("tune", files[0], "--labels", files[1])
    assert refused.exit_code == 2
    assert "pip install 'watchband[tune]'" in refused.stderr
    times, values, events = readings()
    with pytest.raises(MissingExtraError):
        wb.tune((times, values), events)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--objective", "f2", "--labels", "L"], "An objective is written"),
        (["--split", "rows", "--labels", "L"], "--split is one of"),
        (["--split", "stratified"], "needs --labels"),
        (["--labels", "L", "--inject"], "exclude each other"),
        (["--trials", "0"], "--trials must be"),
        (["--test-share", "0.99"], "must leave something"),
        (["--among", "ewma,nothing", "--labels", "L"], "Unknown detector 'nothing'"),
        (["--cutoff", "3"], "give --budget"),
        (["--detector", "ewma:half=3"], "half_life"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(files: tuple[Path, Path], words: list[str], said: str) -> None:
    result = run("tune", files[0], *[str(files[1]) if w == "L" else w for w in words])
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_labels_of_other_series_and_short_series_are_told() -> None:
    times, values, events = readings()
    with pytest.raises(ConfigError, match="No label speaks of a series"):
        wb.tune((times, values), [("disk", *events[0][1:])])
    with pytest.raises(ConfigError, match="A label is"):
        wb.tune((times, values), [3])
    with pytest.raises(DataError, match="long enough"):
        wb.tune((times[:20], values[:20]))


def test_static_limits_are_told_as_numbers() -> None:
    times, values, events = readings()
    found = wb.tune((times, values), [e[1:] for e in events], detector="threshold", among="none", trials=3)
    assert "q" not in found.flags.removeprefix("--detector threshold:").replace("--cutoff", "")
    assert set(found.chosen.parameters) <= {"low", "high"}
    many = wb.tune(*frame(), detector="threshold", among="none", trials=2)
    assert sum("limits of" in note for note in many.notes) == 3
    mine = wb.tune((times, values), [e[1:] for e in events], detector="threshold:high=75", among="none", trials=1)
    assert mine.flags == "--detector threshold:high=75 --cutoff 1"


def test_the_report_says_what_it_rests_on(better: Tuning) -> None:
    page = render(better)
    for words in (
        "Better, shown on a part",
        "23 configurations tried",
        "seasonal naive",
        "Which time was used",
        "35 test",
        "given up early",
    ):
        assert words in page
    assert "style=" not in page.replace("<style>", "")
    assert page.count("<h1") == 1
    assert 'role="img"' in page


def test_rows_divided_at_random_are_said_to_leak(files: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["--labels", files[1], "--split", "stratified", "--trials", "3", "--among", "none", "--detector", "ewma"]
    result = run("tune", files[0], *words, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "These figures leak" in result.stdout
    assert "These figures leak" in (tmp_path / "out" / "report.html").read_text()
    assert "--detector ewma --budget 1/week" in result.stdout
