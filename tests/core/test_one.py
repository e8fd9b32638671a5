"""One call a point: a stepper holds the state between calls, and nobody can tell."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest

from watchband.core.detector import Detector, Score
from watchband.core.errors import StateCorruptError, StateMismatchError, TimeOrderError
from watchband.core.points import Points
from watchband.core.state import State
from watchband.detectors import DETECTORS, Ewma, RollingZscore
from watchband.testing import streams

COMPILED = [d for d in (DETECTORS.build({"type": name}) for name in DETECTORS.names()) if d.one_kernel]
CALLS = 40
LOOKS: list[Callable[[State], object]] = [
    lambda state: state.arrays,
    lambda state: state.points_seen,
    lambda state: state.last_time,
    lambda state: state.derived,
    lambda state: state.to_bytes(),
    lambda state: state.copy(),
    lambda state: state.take([0]),
    lambda state: State.stack([state, state]),
    lambda state: state.nbytes,
    lambda state: repr(state),
    copy.copy,
    copy.deepcopy,
]


def called(detector: Detector, calls: int = CALLS) -> State:
    """A state that so many single points were folded into."""
    state = detector.start()
    for time, value in enumerate(streams.daily(calls, 3)):
        detector.step_one(state, time, float(value))
    return state


@pytest.mark.parametrize("detector", COMPILED, ids=lambda d: d.name)
def test_a_compiled_detector_has_a_stepper(detector: Detector) -> None:
    """And its state comes home with the bits of a batch."""
    state, together = called(detector), detector.start()
    assert state.one_for is detector
    detector.step(together, Points.of(np.arange(CALLS), streams.daily(CALLS, 3)))
    assert state.same_bits(together)
    assert state.one_for is None


@pytest.mark.parametrize("look", LOOKS)
def test_whoever_looks_sees_the_points_folded(look: Callable[[State], object]) -> None:
    """A look brings the state home, and the next calls go on from there."""
    detector = RollingZscore(window=5)
    state, other = called(detector), called(detector)
    look(state)
    assert state.one_for is None
    for time in range(CALLS, 2 * CALLS):
        assert detector.step_one(state, time, time % 7) == detector.step_one(other, time, time % 7)
    assert state.same_bits(other)


def test_a_copy_is_another_state() -> None:
    """Points folded into one are not folded into the other."""
    detector = Ewma()
    state = called(detector)
    apart = copy.copy(state), copy.deepcopy(state), state.copy()
    before = [a.to_bytes() for a in apart[1:]]
    detector.step_one(state, CALLS, 1.0)
    assert [a.to_bytes() for a in apart[1:]] == before
    assert state.points_seen[0] == CALLS + 1


def test_arrays_put_in_by_hand_are_used() -> None:
    """A state whose arrays are replaced between calls goes on from the new ones."""
    detector = Ewma()
    state, other = called(detector), called(detector)
    fresh = {name: array.copy() for name, array in other.arrays.items()}
    fresh["level"][0, 0] += 100
    state.arrays = fresh
    score = detector.step_one(state, CALLS, 1.0)
    other.arrays["level"][0, 0] += 100
    assert score == detector.step_one(other, CALLS, 1.0)


def test_errors_are_those_of_step() -> None:
    """A time that went by, a foreign state and odd arguments, with a stepper as without."""
    detector = Ewma()
    state = called(detector)
    with pytest.raises(TimeOrderError, match=f"has folded time {CALLS - 1}"):
        detector.step_one(state, CALLS - 1, 1.0)
    with pytest.raises(StateMismatchError):
        Ewma(half_life=3).step_one(state, CALLS, 1.0)
    state = called(detector)
    with pytest.raises(StateMismatchError):
        RollingZscore().step_one(state, CALLS, 1.0)
    with pytest.raises((TypeError, ValueError)):
        detector.step_one(state, CALLS, "many")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        detector.step_one(state, 1 << 70, 1.0)
    assert state.points_seen[0] == CALLS
    detector.step_one(state, np.int64(CALLS), np.float32(1.0))  # type: ignore[arg-type]
    assert state.points_seen[0] == CALLS + 1


def test_an_equal_detector_goes_on_where_the_first_stopped() -> None:
    """The stepper belongs to one detector, the state to all with its parameters."""
    first, second, third = Ewma(), Ewma(width=9.0), Ewma()
    state, other = called(first), called(third)
    for time in range(CALLS, CALLS + 20):
        ours = (first if time % 3 else second).step_one(state, time, time % 5)
        assert ours.score == third.step_one(other, time, time % 5).score
    assert state.same_bits(other)


def test_forged_numbers_raise_and_never_panic() -> None:
    """What no fold ever wrote is an error with advice, also where a stepper meets it."""
    detector = RollingZscore(window=5)
    state = called(detector, 1)
    state.arrays["head"][0] = [2, 1 << 40]
    for time in range(1, 4):
        # Without a value nothing is pushed, so the forged place shows only when a stepper holds the state.
        detector.step_one(state, time, np.nan)
    assert state.one_for is detector
    with pytest.raises(StateCorruptError, match="Throw it away"):
        detector.step_one(state, 4, 1.0)
    state = called(detector)
    state.arrays["head"].flags.writeable = False
    with pytest.raises(StateCorruptError, match="read-only"):
        detector.step_one(state, CALLS, 1.0)


def test_a_state_that_is_read_after_every_point_keeps_few_steppers() -> None:
    """Moving in and out costs more than it saves: the more often it was for nothing, the longer it is put off."""
    detector = Ewma()
    state, lent = detector.start(), 0
    for time in range(300):
        detector.step_one(state, time, 1.0)
        lent += state.one_for is not None
        assert state.points_seen[0] == time + 1
    assert 2 <= lent <= 12


def test_a_score_is_a_tuple_with_names() -> None:
    """Fields by name, number, slice and pattern; equal to its tuple."""
    score = Score(1.0, 2.0, 3.0, 4.0, 5.0, 0.0)
    assert (score.score, score.expected, score.lower, score.upper, score.scale, score.flags) == tuple(score)
    assert (score[0], score[-1], score[1:3], len(score)) == (1.0, 0.0, (2.0, 3.0), 6)
    assert score == Score(*score) == (1.0, 2.0, 3.0, 4.0, 5.0, 0.0)
    assert score != Score(9.0, *score[1:])
    assert hash(score) == hash(tuple(score))
    assert score._asdict() == dict(zip(Score._fields, score, strict=True))
    assert repr(score) == "Score(score=1.0, expected=2.0, lower=3.0, upper=4.0, scale=5.0, flags=0.0)"
    assert copy.deepcopy(score) == score
    match score:
        case Score(first, expected):
            assert (first, expected) == (1.0, 2.0)
    with pytest.raises(IndexError):
        score[6]
    with pytest.raises(AttributeError):
        score.score = 2.0  # type: ignore[misc]
    np.testing.assert_array_equal(np.array([score, score]), [[1, 2, 3, 4, 5, 0]] * 2)


def test_what_is_pickled_of_a_state_holds_no_stepper() -> None:
    written = called(RollingZscore(window=5)).__getstate__()
    assert (written["one"], written["one_for"], "_away" in written) == (None, None, False)
    assert written["points_seen"].tolist() == [CALLS]
