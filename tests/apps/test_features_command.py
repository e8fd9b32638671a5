"""``watchband features``: what it writes, what it refuses."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import watchband as wb
from watchband.apps.cli.main import app
from watchband.core.errors import ConfigError, DataError
from watchband.features.feature_set import FeatureSet
from watchband.features.schema import check
from watchband.testing.streams import MINUTE, times


def run(*words: str | Path) -> Result:
    runner = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, ["features", *map(str, words)], prog_name="watchband")


def written(path: Path, columns: dict[str, np.ndarray], hosts: tuple[str, ...] = ("",)) -> Path:
    n = len(next(iter(columns.values())))
    stamps = times(n, MINUTE).view("M8[ns]").astype("M8[s]")
    lines = [",".join(["timestamp", *(["host"] if hosts != ("",) else []), *columns])]
    for host in hosts:
        for i, stamp in enumerate(stamps):
            lines.append(",".join([f"{stamp}Z", *([host] if host else []), *(f"{c[i]:.6f}" for c in columns.values())]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def cpu(tmp_path: Path) -> Path:
    return written(tmp_path / "cpu.csv", {"cpu": 40 + np.random.default_rng(1).normal(0, 2, 200)})


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    columns = {name: rng.uniform(0.2, 0.8, 150) for name in ("cpu", "mem", "pods")}
    return written(tmp_path / "cluster.csv", columns, ("a", "b"))


def test_rows_and_their_schema_are_written(cpu: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    result = run(cpu, "--out", out)
    assert result.exit_code == 0, result.output
    assert "value4  4 features" in result.stdout
    with out.open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["series", "timestamp", "value", "diff", "roll_mean", "roll_std"]
    assert len(rows) == 201
    assert rows[1][3:] == ["", "", ""]
    made = FeatureSet.from_schema(json.loads((tmp_path / "rows.schema.json").read_text()))
    assert made == FeatureSet.named("value4")


def test_a_stored_schema_gives_the_same_features_again(cpu: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    assert run(cpu, "--set", "metric", "--timezone", "Asia/Tokyo", "--out", first, "-q").stdout == ""
    assert run(cpu, "--schema", tmp_path / "a.schema.json", "--out", second, "-q").exit_code == 0
    one, two = pq.read_table(first), pq.read_table(second)
    assert one.equals(two)
    assert one.num_columns == 102
    check(json.loads(one.schema.metadata[b"watchband.features"]), FeatureSet.named("metric", timezone="Asia/Tokyo"))


def test_a_schema_that_no_longer_fits_is_refused(cpu: Path, tmp_path: Path) -> None:
    schema = FeatureSet.named("value4").schema()
    old = tmp_path / "old.json"
    old.write_text(json.dumps(schema | {"names": ["value", "diff", "roll_mean", "roll_mad"]}))
    refused = run(cpu, "--schema", old)
    assert refused.exit_code == 2
    assert "roll_mad is missing and roll_std is new" in refused.stderr
    old.write_text("{")
    assert "it is no JSON" in run(cpu, "--schema", old).stderr


def test_three_metrics_of_each_host_stand_side_by_side(cluster: Path) -> None:
    document = json.loads(run(cluster, "--set", "ratios294", "--json").stdout)
    assert document["features"] == 294
    assert [(s["series"], s["rows"], s["complete"]) for s in document["series"]] == [("a", 150, 54), ("b", 150, 54)]
    assert document["schema"]["columns"] == ["cpu", "mem", "pods"]
    named = ("--column", "pods", "--column", "cpu", "--column", "mem")
    document = json.loads(run(cluster, "--set", "ratios294", *named, "--json").stdout)
    assert document["schema"]["columns"] == ["pods", "cpu", "mem"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "valu4"), "Did you mean 'value4'"),
        (("--set", "cloudwatch10"), "has no CPUUtilization"),
        (("--set", "ratios294", "--column", "cpu", "--column", "mem", "--column", "podz"), "Did you mean 'pods'"),
        (("--set", "ratios294", "--column", "cpu"), "takes 3 column(s)"),
        (("--set", "lags24", "--column", "disk"), "Unknown series 'disk'"),
        (("--set", "lags24", "--share", "2"), "number in (0, 1]"),
        (("--set", "metric", "--interval", "1s"), "looks back on"),
        (("--out", "rows.txt"), ".csv or .parquet"),
    ],
)
def test_mistakes_are_told_in_one_line(cluster: Path, words: tuple[str, ...], says: str) -> None:
    if "1s" in words:
        says = "no complete row"
    refused = run(cluster, *words)
    assert refused.exit_code == 2, refused.output
    assert says in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_too_few_rows_are_told() -> None:
    moments = MINUTE * np.arange(50)
    with pytest.raises(DataError, match="50 rows at most in a series; one complete row of the set 'metric'"):
        wb.feature_matrix((moments, np.arange(50.0)), "metric")
    with pytest.raises(ConfigError, match="The input has no"):
        wb.feature_matrix((moments, np.arange(50.0)), "ratios294")


def test_parts_are_the_same_however_many_rows_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    moments, values = MINUTE * np.arange(500), np.random.default_rng(3).normal(size=500)
    matrix = wb.feature_matrix((moments, values), "metric")
    whole = matrix.to_arrays()[2]
    monkeypatch.setattr("watchband.apps.library.matrix.matrix.CELLS_MAX", 100 * 37)
    parts = list(matrix.parts())
    assert max(len(p.times) for p in parts) == 37
    assert np.concatenate([p.rows for p in parts]).tobytes() == whole.tobytes()
    assert matrix.to_frame().num_rows == 500


def test_entities_that_cannot_be_told_apart_are_named(cluster: Path) -> None:
    refused = run(cluster, "--set", "ratios294", "--by", "zone")
    assert refused.exit_code == 2
    assert "No series has the label zone" in refused.stderr


def busy(path: Path, later: float = 1.0) -> tuple[Path, Path]:
    """A metric with ten stretches of load, and labels of these; ``later`` is what the last third is multiplied by."""
    rng = np.random.default_rng(3)
    values = 40 + rng.normal(0, 1, 1000)
    stamps = times(1000, MINUTE).view("M8[ns]").astype("M8[s]")
    lines = ["series,start,end"]
    for begin in range(60, 1000, 100):
        values[begin : begin + 12] += 15
        lines.append(f"cpu,{stamps[begin]}Z,{stamps[begin + 11]}Z")
    values[720:] *= later
    labels = path / "labels.csv"
    labels.write_text("\n".join(lines) + "\n")
    return written(path / f"cpu{later:g}.csv", {"cpu": values}), labels


def test_features_are_chosen_by_training_rows_and_applied_to_others(tmp_path: Path) -> None:
    file, labels = busy(tmp_path)
    out = tmp_path / "rows.parquet"
    result = run(file, "--set", "metric", "--select", "8", "--labels", labels, "--out", out)
    assert result.exit_code == 0, result.output
    assert re.search(r"8 of 100 features, chosen by \d+ rows before", result.stdout.replace("\n", " "))
    stored = json.loads((tmp_path / "rows.selection.json").read_text())
    assert pq.read_table(out).column_names[2:] == stored["names"]
    assert stored["fates"][stored["names"][0]]["information"] > 0.1
    other, _ = busy(tmp_path, later=5.0)
    made = run(other, "--set", "metric", "--select", "8", "--labels", labels, "--json")
    assert json.loads(made.stdout)["selection"] == stored, "what lies behind the training rows has no part in it"
    less = run(other, "--set", "metric", "--select", "8", "--labels", labels, "--train-share", "0.3", "--json")
    assert 100 < json.loads(less.stdout)["selection"]["rows"] < stored["rows"] <= 700
    matrix = wb.feature_matrix(str(other), "metric", selection=tmp_path / "rows.selection.json")
    assert list(matrix.names) == stored["names"]
    whole = wb.feature_matrix(str(other), "metric")
    places = [whole.names.index(name) for name in matrix.names]
    assert np.array_equal(matrix.to_arrays()[2], whole.to_arrays()[2][:, places], equal_nan=True)


def test_selections_that_cannot_be(tmp_path: Path) -> None:
    file, labels = busy(tmp_path)
    wb.feature_matrix(str(file), "metric", select=5, out=tmp_path / "rows.csv")
    chosen = tmp_path / "rows.selection.json"
    (tmp_path / "none.csv").write_text("series,start,end\nmem,2024-01-01T00:00:00Z,2024-01-01T00:10:00Z\n")
    for words, said in (
        (("--select", "5", "--selection", chosen), "Give one of both"),
        (("--labels", labels), "give --select with it"),
        (("--select", "0"), "--select takes 1 or more"),
        (("--select", "5", "--train-share", "2"), "--train-share above 0 to 1"),
        (("--select", "5", "--labels", tmp_path / "none.csv"), "lies within a label of its series"),
        (("--selection", tmp_path / "none.csv"), "cannot be read as a selection"),
        (("--set", "value4", "--selection", chosen), "which the selection was fitted on"),
    ):
        result = run(file, "--set", "metric", *words)
        assert result.exit_code == 2, words
        assert said in " ".join(result.stderr.split()), result.stderr
