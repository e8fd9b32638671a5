"""The search: seeded, resumed as if never interrupted, pruned, stopped, and clear where its library is absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.search import STARTUP, Attempt, Search, best, incumbents
from watchband.analysis.tuning.space import Space
from watchband.core.errors import ConfigError, MissingExtraError

SPACE = Space(("ewma", "rolling_zscore"))
TRIALS = 16


def value(configuration: Configuration, rung: int) -> float:
    """Best for ewma with a half-life near 100; the first rungs tell most of it."""
    if configuration.detector != "ewma":
        return -2.0
    near = -abs(np.log(float(configuration.parameters.get("half_life", 60.0)) / 100))
    return float(near + 0.01 * rung)


class Unplugged(Exception):
    """What ends a run in the middle of a trial."""


def told(attempts: list[Attempt]) -> list[tuple[str, float, bool]]:
    return [(a.configuration.key, a.value, a.pruned) for a in attempts]


def test_the_defaults_come_first_and_the_best_is_found() -> None:
    found = Search(SPACE, b"task").run(value, 3, TRIALS)
    assert [a.configuration for a in found[:2]] == [SPACE.default("ewma"), SPACE.default("rolling_zscore")]
    assert [a.number for a in found] == list(range(TRIALS))
    chosen = best(found)
    assert chosen is not None
    assert chosen.configuration.detector == "ewma"
    assert chosen.value >= value(SPACE.default("ewma"), 2)


def test_equal_seeds_give_equal_trials_and_others_do_not() -> None:
    one, same, other = (told(Search(SPACE, b"task", seed=s).run(value, 3, TRIALS)) for s in (1, 1, 2))
    assert str(one) == str(same)
    assert str(one) != str(other)


@pytest.mark.parametrize(("name", "trials"), [("study.journal", TRIALS), ("study.db", 11)])
def test_a_run_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path: Path, name: str, trials: int) -> None:
    whole = told(Search(SPACE, b"task").run(value, 3, trials))
    calls = 0

    def fragile(configuration: Configuration, rung: int) -> float:
        nonlocal calls
        calls += 1
        if calls in (2, 13, 22):
            raise Unplugged
        return value(configuration, rung)

    path = tmp_path / name
    for _ in range(3):
        with pytest.raises(Unplugged):
            Search(SPACE, b"task", storage=path).run(fragile, 3, trials)
    last = Search(SPACE, b"task", storage=path)
    assert 0 < len(last.attempts) < trials
    assert str(told(last.run(value, 3, trials))) == str(whole)
    assert last.tried == trials
    # Nothing is left to do.
    assert str(told(Search(SPACE, b"task", storage=path).run(fragile, 3, trials))) == str(whole)


def test_another_task_in_the_same_file_begins_anew_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    Search(SPACE, b"task", storage=path).run(value, 3, 5)
    other = Search(SPACE, b"other", storage=path)
    assert other.attempts == []
    other.run(value, 3, 4)
    assert other.tried == 9


def test_a_study_has_one_name_in_every_process() -> None:
    program = "from watchband.analysis.tuning.space import Space\n"
    program += "print(Space(('ewma',), stated=frozenset(('consecutive', 'm', 'min_deviation_relative'))).task)"
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "123456"
    }
    assert len(said) == 1


def test_what_begins_badly_is_given_up() -> None:
    rungs: list[int] = []

    def watched(configuration: Configuration, rung: int) -> float:
        rungs.append(rung)
        return value(configuration, rung)

    found = Search(SPACE, b"task").run(watched, 3, 30)
    pruned = [a for a in found if a.pruned]
    assert pruned
    assert all(np.isnan(a.value) and "rung" in a.reason for a in pruned)
    assert not any(a.pruned for a in found[:STARTUP])
    assert len(rungs) < 3 * 30
    assert best(found) is not None
    assert not best(found).pruned  # type: ignore[union-attr]


def test_time_is_up() -> None:
    asked = iter([False, False, True])
    found = Search(SPACE, b"task").run(value, 1, TRIALS, stop=lambda: next(asked))
    assert len(found) == len(SPACE.detectors) + 2


def test_a_configuration_that_cannot_be_is_told_and_not_the_end() -> None:
    def refusing(configuration: Configuration, rung: int) -> float:
        if configuration.detector == "ewma" and configuration.parameters:
            raise ConfigError("too odd")
        return 0.5

    found = Search(SPACE, b"task").run(refusing, 1, TRIALS)
    assert any(a.reason == "too odd" for a in found)


def test_nothing_has_a_value() -> None:
    found = Search(SPACE, b"task").run(lambda *_: float("nan"), 2, 4)
    assert best(found) is None
    assert incumbents(found) == []


def test_incumbents_are_those_that_were_best_when_they_came() -> None:
    made = [Attempt(i, SPACE.default("ewma"), v) for i, v in enumerate([0.3, 0.2, float("nan"), 0.5, 0.5])]
    assert [a.number for a in incumbents(made)] == [0, 3]
    assert best(made) is made[3]


def test_without_the_library_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'watchband\[tune\]'"):
        Search(SPACE, b"task")


def test_a_storage_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder that exists"):
        Search(SPACE, b"task", storage=tmp_path / "none" / "x.db")
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all, and long enough to be read as one" * 40)
    with pytest.raises(ConfigError, match="cannot be opened"):
        Search(SPACE, b"task", storage=broken)


def test_a_space_without_detectors_or_with_one_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="each once"):
        Space(())
    with pytest.raises(ConfigError, match="each once"):
        Space(("ewma", "ewma"))
