"""The bench runner works: at a tiny size, by counts. No test asserts a time."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benches import bench_forecast, budget, risk_size, training
from benches.__main__ import main, names
from benches.timing import Case, Measured, beside, measure, ratio, report
from watchband.analysis.forecast.models import Ridge
from watchband.detectors import DETECTORS
from watchband.evaluation.simulate.kinds import KINDS


def test_every_detector_is_measured_alone_and_in_a_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detectors", "--points", "300", "--runs", "1", "--no-peers", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["machine"]) == {"cpu", "cores", "python"}
    for name in DETECTORS.names():
        rows = [row for row in found["measured"] if row["name"] == name]
        assert len(rows) == 2
        for row in rows:
            assert row["points"] > 0
            assert row["runs"] == 1
            assert row["series_bytes"] == DETECTORS.build({"type": name}).state_bytes_max


def test_an_unknown_bench_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "detectors" in names()
    with pytest.raises(SystemExit):
        main(["detector"])
    assert "no bench is called 'detector'" in capsys.readouterr().err


def test_risk_is_measured_beside_the_plain_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    for name in risk_size.WORK:
        assert risk_size.main(["--rows", "4000", "--one", name]) == 0
        found = json.loads(capsys.readouterr().out)
        assert sum(map(int, found["rows"].split())) == 4000
        assert found["peak_mib"] > 0


def test_a_training_is_measured_beside_the_plain_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    for who in training.WORK:
        assert training.main(["--points", "2000", "--trials", "1", "--one", who, "pca_reconstruction"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["seconds"] >= 0  # of so little work, less than a hundredth
        assert 0 <= found["f1"] <= 1


def test_runs_take_turns_within_a_group() -> None:
    order: list[str] = []
    cases = [Case(g, n, lambda n=n: order.append(n), 10) for g, n in (("x", "a"), ("x", "b"), ("y", "c"))]  # type: ignore[misc]
    measured = measure(cases, runs=2)
    assert "".join(order) == "abababccc"
    assert [len(m.seconds) for m in measured] == [2, 2, 2]
    assert ratio(measured[0], measured) <= 1
    assert [
        line.split()[0] for line in report(measured).splitlines() if line.startswith("  ") and "points/s" not in line
    ] == [
        "a",
        "b",
        "c",
    ]


def test_the_whole_job_is_measured_with_and_without_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "--points", "300", "--runs", "1", "--no-peers", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["measured"]) == 2


def test_every_peer_stands_in_one_table_beside_the_same_work() -> None:
    def of(group: str, name: str, seconds: float) -> Measured:
        return Measured(Case(group, name, lambda: None, 1000), (seconds, 2 * seconds))

    said = [
        of("medians", "watchband rolling_median", 0.001),
        of("medians", "bottleneck move_median", 0.0005),
        of("forests", "watchband random_cut_forest", 0.01),
        of("forests", "rrcf insert, displacement, forget", 9.0),
        of("forests", "krcf score, update", 0.1),
        of("defaults", "ewma", 0.1),
    ]
    rows = [line.split() for line in beside(said).splitlines()[2:]]
    assert [row[0] for row in rows] == ["krcf", "rrcf", "bottleneck"]
    assert [row[row.index("x") - 1] for row in rows] == ["10.00", "900.00", "0.50"]
    assert beside(said[-1:]) == ""


def test_budgets_are_counted_before_and_after_a_series_has_settled(capsys: pytest.CaptureFixture[str]) -> None:
    code = budget.main(["light", "--series", "2", "--points", "900", "--settled", "400"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(KINDS) + 2
    assert code == int(any("**" in line for line in lines[2:-1]))
    kept, lost = budget.Count(3, 2.0, 5, 4.0), budget.Count(0, 2.0, 25, 4.0)
    assert (kept.broken, lost.broken) == (False, True)
    assert str(kept) == "1.50; 1.25 (0.41–2.92)"


def test_payloads_are_measured_beside_protobuf(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["payloads", "--points", "1", "--runs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["measured"]
    assert {row["name"] for row in found} >= {"protobuf, parse alone", "JSON Lines", "Influx"}


def test_forecasts_are_measured_with_their_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--points", "1", "--runs", "1", "--no-peers", "--json"]) == 0
    found = {row["name"]: row["note"] for row in json.loads(capsys.readouterr().out)["measured"]}
    assert {"watchband, seasonal_band", "watchband, ridge", "watchband, persistence"} <= set(found)
    assert all(note.startswith("MAE ") for note in found.values())
    # The same model by other hands tells the same.
    grid, origins = bench_forecast._series(1440), np.array([1151])
    ours = Ridge().fit(grid, 1152, 0).ahead(grid, origins, 12)
    assert np.allclose(bench_forecast._pipeline(grid, 1152, origins, 12), ours, rtol=0.01)
