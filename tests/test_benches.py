"""The bench runner works: at a tiny size, by counts. No test asserts a time."""

from __future__ import annotations

import json

import pytest

from benches.__main__ import main, names
from benches.timing import Case, measure, ratio, report
from watchband.detectors import DETECTORS


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
