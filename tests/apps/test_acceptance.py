"""The main job on real metrics, through the product as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow.csv as arrow_csv
import pytest
from typer.testing import CliRunner

import watchband as wb
from watchband.apps.cli.main import app

CLOUDWATCH = "realAWSCloudwatch/ec2_cpu_utilization_53ea38.csv"

pytestmark = pytest.mark.data


def detect(*words: str | Path) -> str:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["detect", *map(str, words)])
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(("inclusive", "flags"), [("true", 5), ("false", 60)])
def test_rolling_zscore_flags_as_many_rows_as_it_must(nab: Path, tmp_path: Path, inclusive: str, flags: int) -> None:
    out = tmp_path / "out"
    detector = f"rolling_zscore:window=12,ddof=1,inclusive={inclusive}"
    detect(nab / CLOUDWATCH, "--detector", detector, "--cutoff", "3", "--out", out, "--quiet")
    scores = pd.read_csv(out / "scores.csv")
    assert len(scores) == 4032
    assert int((scores["anomaly_score"] > 1).sum()) == flags
    assert int((scores["score"] > 3).sum()) == flags
    assert json.loads((out / "summary.json").read_text())["counts"]["anomalies"] == flags
    outside = (scores["y"] > scores["yhat_upper"]) | (scores["y"] < scores["yhat_lower"])
    assert (outside == (scores["anomaly_score"] > 1)).all()
    raw = pd.read_csv(nab / CLOUDWATCH)
    assert scores["y"].tolist() == raw["value"].tolist()


def test_frames_give_the_same_bits_as_the_file(nab: Path) -> None:
    path = nab / CLOUDWATCH
    expected = wb.detect(path).table.drop_columns(["series", "alert"])
    for frame in (pd.read_csv(path, parse_dates=["timestamp"]), pl.read_csv(path), arrow_csv.read_csv(path)):
        assert wb.detect(frame).table.drop_columns(["series", "alert"]).equals(expected), type(frame)


def test_a_folder_of_files_is_one_run(nab: Path) -> None:
    document = json.loads(detect(nab / "realAWSCloudwatch", "--json"))
    assert document["counts"]["series"] == 17
    assert document["counts"]["rows"] == 67_740
    assert len(document["alerts"]) == document["counts"]["alerts"]
    assert {a["severity"] for a in document["alerts"]} <= {"critical", "warning", "info"}
