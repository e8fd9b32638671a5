"""Passage: when a threshold is reached, with an interval that holds what it promises."""

from __future__ import annotations

import math

import numpy as np
import pytest

from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.wording import NO_BREAK
from watchband.pipeline.breach.passage import Passage, first_passage, passage
from watchband.pipeline.breach.trend import slopes
from watchband.pipeline.breach.words import told

RNG = np.random.default_rng(7)


def test_the_first_time_at_or_beyond_on_either_side() -> None:
    paths = np.array([[1.0, 5.0, 9.0], [1.0, 2.0, 3.0], [np.nan, 6.0, 0.0]])
    assert first_passage(paths, 5.0, 1).tolist() == [2, math.inf, 2]
    assert first_passage(paths, 1.0, -1).tolist() == [1, 1, 3]


def test_without_errors_enough_nothing_is_said() -> None:
    assert passage(np.ones(5), np.zeros((9, 5)), 2.0, 1, 0.9) is None
    assert passage(np.full(5, np.nan), np.zeros((20, 5)), 2.0, 1, 0.9) is None
    errors = np.zeros((20, 5))
    errors[:12, 2] = np.nan
    assert passage(np.ones(5), errors, 2.0, 1, 0.9) is None, "paths with holes are no paths"


def test_a_certain_course_has_a_certain_time() -> None:
    found = passage(np.arange(1.0, 11.0), np.zeros((50, 10)), 7.0, 1, 0.9)
    assert found is not None
    assert (found.low, found.steps, found.high, found.chance) == (7, 7, 7, 1)


def test_few_paths_cannot_say_when_it_is_sure_to_be_over() -> None:
    found = passage(np.arange(1.0, 11.0), np.zeros((12, 10)), 7.0, 1, 0.9)
    assert found is not None
    assert math.isinf(found.high), "of 12 the rank of 95 % is the thirteenth"


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_intervals_contain_the_time_as_often_as_promised(level: float) -> None:
    hit, n, h = 0, 400, 120
    for _ in range(n):
        walks = np.cumsum(RNG.normal(0.5, 1.0, (61, h)), axis=1)
        expected = 0.5 * np.arange(1, h + 1)
        found = passage(expected, walks[:60] - expected, 20.0, 1, level)
        assert found is not None
        hit += found.low <= float(first_passage(walks[60:], 20.0, 1)[0]) <= found.high
    # Standard error 0.02; ranks make it a little more than promised.
    assert level - 0.05 < hit / n < level + 0.08


def test_slopes_go_on_over_holes_and_spikes() -> None:
    line = 5 + 0.25 * np.arange(480.0)
    line[100:140] = np.nan
    line[300:310] = 1e6
    assert slopes(np.stack([line, -line])) == pytest.approx([0.25, -0.25])
    assert slopes(np.full((1, 48), np.nan)).tolist() == [0]


@pytest.mark.parametrize(
    ("found", "step", "said"),
    [
        (Passage(95, 1, 55, 43.2, 74.4, 1, 0.9, 96), HOUR, "reaches 95 % in 2.3 days (90 % interval 1.8–3.1)"),
        (Passage(95, 1, 5, 4, 7, 1, 0.9, 96), HOUR, "reaches 95 % in 5 hours (90 % interval 4–7)"),
        (Passage(5, -1, 30, 25, 41, 1, 0.8, 96), MINUTE, "falls to 5 % in 30 minutes (80 % interval 25–41)"),
        (
            Passage(95, 1, 50, 30, math.inf, 0.6, 0.9, 96),
            HOUR,
            "reaches 95 % in 2.1 days (90 % interval from 1.2 to beyond the 4 looked at; chance within them 60 %)",
        ),
        (Passage(95, 1, math.inf, 9, math.inf, 0.2, 0.9, 7), DAY, "is not expected to reach 95 % within 7 days"),
        (Passage(5, -1, math.inf, math.inf, math.inf, 0, 0.9, 7), DAY, "does not fall to 5 % within 7 days in any of"),
    ],
)
def test_it_is_said_as_people_say_it(found: Passage, step: int, said: str) -> None:
    assert told("disk_used_percent", found, step).replace(NO_BREAK, " ").startswith(said)
