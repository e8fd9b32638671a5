"""The table of reproductions: what it says is what is found, and a figure that differs is a failure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benches.seeds import __main__ as command
from benches.seeds import arithmetic, nab, scenes
from benches.seeds.figure import Figure, counted, measured, table


def told(figures: list[Figure], name: str) -> Figure:
    (found,) = [figure for figure in figures if figure.name == name]
    return found


def in_the_docs(figures: list[Figure]) -> bool:
    page = (Path(__file__).resolve().parent.parent / "docs" / "reproductions.md").read_text()
    return all(line in page for line in table(figures).splitlines())


def test_the_evaporator_is_flagged_nine_times_and_told_at_the_fifth() -> None:
    figures = scenes.of_the_evaporator()
    assert [figure.verdict for figure in figures] == ["same", "same", "same", "cannot be had"]
    assert in_the_docs(figures)
    assert told(figures, "alert at the fifth in a row").here == "12:06"
    assert told(figures, "readings beyond mean + 3 σ").remark.startswith("12:02 to 12:10")


def test_the_hosts_have_six_incidents() -> None:
    figures = scenes.of_the_hosts()
    assert not [figure for figure in figures if figure.verdict == "differs"]
    assert in_the_docs(figures)
    assert told(figures, "rows called Critical").here == "6"


def test_the_arithmetic_of_the_first_seed() -> None:
    figures = arithmetic.figures()
    assert not [figure for figure in figures if figure.verdict == "differs"]
    assert in_the_docs(figures)
    assert told(figures, "features by design").here == "294"
    assert np.allclose(arithmetic.wilson(5, 7), (0.36, 0.92), atol=0.005)


def test_without_data_it_says_how_to_get_them(tmp_path: Path) -> None:
    first, *others = nab.figures(tmp_path)
    assert (first.verdict, first.here[:6]) == ("same", "3.1754")
    assert {figure.verdict for figure in others} == {"no data here"}
    assert all("WATCHBAND_DATA" in figure.remark for figure in others)


@pytest.mark.data
def test_the_figures_of_the_cloudwatch_series(nab: Path) -> None:
    from benches.seeds.nab import of_one

    figures = of_one(nab.parent)
    assert not [figure for figure in figures if figure.verdict == "differs"]
    assert in_the_docs(figures)
    assert told(figures, "Isolation Forest flags").here == "121"
    assert told(figures, "highest score").here == "0.15929277"
    assert told(figures, "Ridge MAE").verdict == "wrong there"
    assert told(figures, "Ridge MAE").here == "0.044905"


def test_a_figure_that_differs_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    same = counted("9", "rows", 3, 3, "none", "")
    assert same.verdict == "same"
    assert counted("9", "rows", 3, 4, "none", "").verdict == "differs"
    assert measured("9", "error", "0.12", 0.1249, "none", "").verdict == "same"
    assert measured("9", "error", "0.12", 0.1251, "none", "").verdict == "differs"
    monkeypatch.setattr(command, "collected", lambda quick: [same])
    assert command.main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["verdict"] == "same"
    monkeypatch.setattr(command, "collected", lambda quick: [same, replace(same, verdict="differs", remark="a | b")])
    assert command.main([]) == 1
    assert "a \\| b" in capsys.readouterr().out
    assert table([same]).count("\n") == 2
