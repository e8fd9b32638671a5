"""Silence and standing still: the kernel says what the reference says, and what people would want it to."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.pulse import Heart, Told
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.points import Points
from watchband.core.series import SeriesKey
from watchband.core.state import State
from watchband.pipeline.pulse import NEVER, Found, Pulse, alerts_of

KEY = SeriesKey("cpu")
NAMES = ("silence", "stuck", "ended")


@dataclass
class Line:
    """One series whose readings come in batches, with a watermark behind each."""

    pulse: Pulse = field(default_factory=Pulse)
    found: list[Found] = field(default_factory=list)
    seen: int = NEVER

    def __post_init__(self) -> None:
        self.state: State = self.pulse.start(1)

    def send(self, times: list[int], values: list[float] | None = None, until: int | None = None) -> None:
        """Readings arrive, and the watermark moves to ``until``, the last of them if not said otherwise."""
        given = [float(t % 1_000_003) for t in times] if values is None else values
        points = Points.of(np.array(times, np.int64), np.array(given, np.float64))
        self.found.append(self.pulse.step(self.state, points, seen=self.seen))
        self.wait(times[-1] if until is None else until)

    def wait(self, until: int) -> None:
        self.found.append(self.pulse.watermark(self.state, until))
        self.seen = max(self.seen, until)

    @property
    def told(self) -> list[Told]:
        """Every finding in its last version, in order."""
        last: dict[tuple[int, int], Told] = {}
        for found in self.found:
            rows = zip(*(getattr(found, k).tolist() for k in ("what", "since", "known", "over")), strict=True)
            for what, since, known, over in rows:
                last[what % 2, since] = Told(NAMES[what], since, known, None if over == NEVER else over)
        return list(last.values())


@pytest.mark.parametrize("every", [1, 7, 120])
def test_silence_is_known_when_patience_ends_however_often_time_passes(every: int) -> None:
    line = Line()
    for minute in range(100):
        line.send([minute * MINUTE])
    for minute in range(100, 100 + 241, every):
        line.wait(minute * MINUTE)
    assert line.told == [Told("silence", 100 * MINUTE, 104 * MINUTE)]
    line.send([400 * MINUTE])
    assert line.told == [Told("silence", 100 * MINUTE, 104 * MINUTE, 400 * MINUTE)]
    first, last = (alerts_of(f, [KEY], "w") for f in line.found if len(f))
    assert (first[0].kind, first[0].closed, first[0].id) == ("no data", None, last[0].id)


def test_a_device_that_is_off_at_night_is_told_twice_and_then_known() -> None:
    line = Line()
    for day in range(20):
        for minute in range(8 * 60, 20 * 60):
            line.send([day * DAY + minute * MINUTE])
        for hour in range(20, 32):
            line.wait(day * DAY + hour * HOUR)
    assert [t.since // DAY for t in line.told] == [0, 1]
    assert all(t.over is not None for t in line.told)
    line.wait(22 * DAY)
    assert line.told[-1].known - (19 * DAY + 20 * HOUR) <= 26 * HOUR, "that it does not come back is told in a day"


def test_a_job_that_reports_once_a_day_is_told_after_two_days() -> None:
    line = Line()
    for day in range(10):
        line.send([day * DAY + 2 * HOUR])
        for hour in range(3, 26):
            line.wait(day * DAY + hour * HOUR)
    assert not line.told
    for hour in range(26, 26 + 40):
        line.wait(9 * DAY + hour * HOUR)
    assert line.told == [Told("silence", 10 * DAY + 2 * HOUR, 11 * DAY + 2 * HOUR)]


def test_a_series_that_ends_for_good_is_told_once_and_closed() -> None:
    line = Line()
    for minute in range(60):
        line.send([minute * MINUTE])
    for hour in range(2, 100):
        line.wait(hour * HOUR)
    assert line.told == [Told("ended", 60 * MINUTE, 64 * MINUTE, 64 * MINUTE + DAY)]
    alert = alerts_of(
        line.found[-1] if len(line.found[-1]) else next(f for f in line.found[::-1] if len(f)), [KEY], "w"
    )
    assert (alert[0].policies, alert[0].closed) == (("series ended",), 64 * MINUTE + DAY)
    line.send([200 * HOUR])
    assert len(line.told) == 1
    line.wait(201 * HOUR)
    assert len(line.told) == 2, "what came back may fall silent again"


def test_readings_that_are_sent_in_bundles_are_no_silence() -> None:
    line = Line()
    for bundle in range(50):
        minutes = range(30 * bundle, 30 * (bundle + 1))
        line.send([m * MINUTE for m in minutes])
        for later in range(1, 31):
            line.wait((30 * (bundle + 1) + later) * MINUTE)
    assert not line.told


def test_silence_while_nobody_listened_is_nobodys_fault() -> None:
    line = Line()
    for minute in range(60):
        line.send([minute * MINUTE])
    back = 120 * MINUTE
    line.pulse.excuse(line.state, np.array([0]), back)
    line.wait(back + 2 * MINUTE)
    line.send([back + 3 * MINUTE])
    assert not line.told
    line.wait(back + 9 * MINUTE)
    assert [t.known for t in line.told] == [back + 8 * MINUTE], "the hour did not become usual either"


def test_a_value_that_stands_still_is_stuck_where_it_usually_moves() -> None:
    pulse = Pulse()
    state = pulse.start(3)
    times = np.arange(300) * MINUTE
    moving = np.r_[np.sin(np.arange(200.0)), np.full(100, 0.25)]
    zero = np.r_[np.sin(np.arange(200.0)), np.zeros(100)]
    rows = [(times, values) for values in (moving, np.full(300, 7.0), zero)]
    found = pulse.step(state, Points.fleet(rows))
    assert (found.row.tolist(), found.what.tolist(), found.over.tolist()) == ([0], [1], [NEVER])
    counts = pulse.counts(state)
    assert counts["stuck"].tolist() == [100 - 36, 0, 0]
    assert counts["zero"].tolist() == [1, 0, 101]
    assert pulse.stuck(state).tolist() == [True, False, False]


MOVES = st.tuples(
    st.sampled_from(["read", "read", "read", "many", "wait", "excuse"]),
    st.sampled_from([1, 1, 1, 1, 2, 4, 30, 700, 2000]),
    st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan")]),
)


@given(st.lists(MOVES, max_size=60), st.booleans(), st.integers(0, 40))
def test_the_kernel_says_what_the_reference_says(
    moves: list[tuple[str, int, float]], impatient: bool, equal: int
) -> None:
    pulse = Pulse(missed=2, least_ns=0, equal=equal, ends_ns=HOUR) if impatient else Pulse(equal=equal)
    line, heart = Line(pulse), Heart(pulse)
    now, seen = 0, None
    for kind, minutes, value in [("many", 1, 0.0)] * 4 + moves:
        if kind == "excuse":
            heart.excused = max(now, heart.excused or now)
            pulse.excuse(line.state, np.array([0]), now)
            continue
        if kind == "wait":
            now += minutes * MINUTE
            line.wait(now)
            heart.wait(now, False)
            seen = now
            continue
        count = 60 if kind == "many" else 1
        times = [now + (i + 1) * minutes * MINUTE for i in range(count)]
        values = [value + i % 7 for i in range(count)]
        now = times[-1]
        line.send(times, values)
        for time, one in zip(times, values, strict=True):
            heart.read(time, one, seen)
        heart.wait(now, False)
        seen = now
    said = {(t.what == "stuck", t.since): t for t in line.told}
    assert said == {(t.what == "stuck", t.since): t for t in heart.told}
    assert pulse.usual_step_ns(line.state).tolist() == [heart.step]


@given(st.lists(st.integers(1, 3000), min_size=2, max_size=80), st.lists(st.integers(0, 80), max_size=4))
def test_cut_anywhere_it_says_the_same(steps: list[int], cuts: list[int]) -> None:
    times = np.cumsum(steps) * MINUTE
    points = Points.of(times, np.sin(times / HOUR))
    whole, pieces = Line(), Line()
    whole.found.append(whole.pulse.step(whole.state, points))
    edges = sorted({0, len(times), *(min(c, len(times)) for c in cuts)})
    for a, b in pairwise(edges):
        pieces.found.append(pieces.pulse.step(pieces.state, Points.of(times[a:b], points.values[a:b, 0])))
    assert whole.told == pieces.told
    assert whole.state.same_bits(pieces.state)
