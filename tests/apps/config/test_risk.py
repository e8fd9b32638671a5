"""The ``risk`` section: what it makes of a model, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.risk_models import by_hand
from watchband.analysis.risk.artifact import save
from watchband.apps.config.config import Config, ConfigProblems, read_text
from watchband.core.series import SeriesKey


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(by_hand(), tmp_path / "risk.json")
    return tmp_path


def read(folder: Path, text: str) -> Config:
    return read_text(text, "watchband.yaml", {}, base=str(folder))


def test_a_model_brings_its_watch(folder: Path) -> None:
    found = read(folder, "risk: {model: risk.json, m_of_n: 2/3}\nwatches: {all: {match: '*'}}")
    assert list(found.watches) == ["risk", "all"]
    state = SeriesKey("risk_state", {"host": "a"})
    assert found.watches["risk"].matches(state)
    assert not found.watches["all"].matches(state)
    assert found.watches["all"].matches(SeriesKey("cpu"))
    assert found.risk.making is not None
    assert found.risk.making.by == ("host",)
    assert read(folder, "risk: {model: risk.json, entity: pod}").risk.making.by == ("pod",)  # type: ignore[union-attr]


def test_without_a_model_there_is_no_risk(folder: Path) -> None:
    found = read(folder, "watches: {all: {match: '*'}}")
    assert list(found.watches) == ["all"]
    assert found.risk.making is None


def test_a_watch_of_that_name_takes_its_place(folder: Path) -> None:
    found = read(
        folder, "risk: {model: risk.json}\nwatches: {risk: {match: risk_state, detector: 'threshold:high=1.5'}}"
    )
    assert found.watches["risk"].detector == "threshold:high=1.5"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("risk: {model: absent.json}", "1:15: Section 'risk': The risk model"),
        ("risk: {model: bad.json}", "is no JSON"),
        ("risk: {model: risk.json, metrics: {CPU: cpu}}", "Unknown feature of the risk model 'CPU'"),
        ("risk: {model: risk.json, m_of_n: 3/2}", "m_of_n"),
        ("risk: {modl: risk.json}", "Did you mean 'model'?"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(folder: Path, text: str, said: str) -> None:
    (folder / "bad.json").write_text("{")
    with pytest.raises(ConfigProblems) as problem:
        read(folder, text)
    assert said in str(problem.value)


def test_another_model_is_another_labelling(folder: Path) -> None:
    from dataclasses import replace

    first = read(folder, "risk: {model: risk.json}").risk.making
    again = read(folder, "risk: {model: risk.json}").risk.making
    save(replace(by_hand(), deviation=5.0), folder / "risk.json")
    other = read(folder, "risk: {model: risk.json}").risk.making
    assert first == again
    assert first != other
