"""Parts in time: one cut for what overlaps, a gap, nothing of later in what is searched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchband.analysis.tuning.material import Part, Series, fingerprint_bytes, in_time, labels_in, weeks
from watchband.analysis.tuning.replay import Replay
from watchband.core.duration import DAY, HOUR, WEEK
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma
from watchband.evaluation.labels import Label
from watchband.pipeline.watch import Watch


def days(name: str, first: int, count: int) -> Series:
    times = (np.arange(count * 24) * HOUR + first * DAY).astype(np.int64)
    return Series(SeriesKey(name), times, np.zeros(len(times)))


def test_parts_follow_each_other_with_a_gap() -> None:
    (parts,) = in_time([days("a", 0, 100)])
    assert 0 < parts.validation.start < parts.validation.stop < parts.test.start < parts.test.stop
    assert parts.test.start - parts.validation.stop == pytest.approx(DAY, rel=0.01)
    assert parts.test.length == pytest.approx(35 * DAY, rel=0.02)
    assert parts.test.stop == days("a", 0, 100).times[-1] + 1


def test_a_study_is_of_all_that_its_values_depend_on() -> None:
    one = days("a", 0, 9)
    gone = replace(one, values=np.where(np.arange(len(one.values)) == 3, np.nan, one.values))
    assert fingerprint_bytes([one]) != fingerprint_bytes([gone])
    watch = Watch("tune", Ewma())
    assert Replay(watch).task == Replay(watch, threads=2).task
    assert Replay(watch).task != Replay(watch, excluded=[(0, DAY)]).task != Replay(watch, {"range_low": 0}).task


def test_series_that_overlap_share_their_cut_and_others_do_not() -> None:
    a, b, c = in_time([days("a", 0, 60), days("b", 30, 60), days("c", 1000, 60)])
    assert a == b
    assert c.validation.start > a.test.stop
    # The end of the first is already the test of the second: no later day is ever searched.
    assert a.test.start < 60 * DAY


def test_a_gap_of_ones_own_and_shares_that_leave_nothing() -> None:
    (parts,) = in_time([days("a", 0, 100)], gap_ns=7 * DAY)
    assert parts.test.start - parts.validation.stop == 7 * DAY
    with pytest.raises(ConfigError, match="must leave something"):
        in_time([days("a", 0, 100)], test_share=0.9)
    with pytest.raises(ConfigError, match="leaves nothing to validate on"):
        in_time([days("a", 0, 10)], gap_ns=9 * DAY)


def test_what_comes_later_is_cut_off() -> None:
    whole = days("a", 0, 10)
    labels = (Label("a", DAY, 2 * DAY), Label("a", 4 * DAY, 6 * DAY), Label("a", 8 * DAY, 9 * DAY))
    early = Series(whole.key, whole.times, whole.values, labels).before(5 * DAY)
    assert early.times[-1] == 5 * DAY - HOUR
    assert [a.start for a in early.labels] == [DAY, 4 * DAY]
    assert [a.start for a in labels_in(early.labels, Part(0, 5 * DAY))] == [DAY]


def test_weeks_are_those_with_readings() -> None:
    one = days("a", 0, 14)
    assert weeks(one.times, Part(0, 100 * WEEK)) == pytest.approx(2, rel=0.01)
    assert weeks(one.times, Part(200 * WEEK, 300 * WEEK)) == 0
