"""Plans: when a window is open, also over changes of the clock; what acts make of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchband.core.acts import Act
from watchband.core.duration import DAY, HOUR, MINUTE, WEEK
from watchband.core.errors import ConfigError
from watchband.core.plans import WEEKDAYS, Occurrence, Plan, plans_of
from watchband.core.timestamp import format_rfc3339, parse_rfc3339


def at(text: str) -> int:
    return parse_rfc3339(text)


NIGHTLY = Plan(
    "w00000001", "backup", "mute", at("2026-03-27T02:00:00Z"), HOUR, "cpu", days=WEEKDAYS, zone="Europe/Dublin"
)


def starts(plan: Plan, first: str, last: str) -> list[str]:
    return [format_rfc3339(o.start) for o in plan.occurrences(at(first), at(last))]


def test_it_comes_again_by_the_clock_of_its_zone() -> None:
    # Dublin is at UTC until 01:00 on 29 March and an hour ahead from then on.
    assert starts(NIGHTLY, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z") == [
        "2026-03-28T02:00:00Z",
        "2026-03-29T01:00:00Z",
        "2026-03-30T01:00:00Z",
    ]


def test_a_time_that_the_clock_leaves_out_or_has_twice_comes_once() -> None:
    lost = replace(NIGHTLY, start=at("2026-03-27T01:30:00Z"))
    assert starts(lost, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z") == ["2026-03-29T01:30:00Z"]
    # On 25 October the clock goes back from 02:00 to 01:00.
    assert starts(lost, "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z") == ["2026-10-25T00:30:00Z"]


def test_only_on_its_days_from_its_start_until_its_end() -> None:
    monday = replace(NIGHTLY, days=("mon",), until=at("2026-04-10T00:00:00Z"))
    assert starts(monday, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") == [
        "2026-03-30T01:00:00Z",
        "2026-04-06T01:00:00Z",
    ]
    assert monday.next(at("2026-04-07T00:00:00Z")) is None
    last = monday.last(at("2026-09-01T00:00:00Z"))
    assert last is not None
    assert format_rfc3339(last.start) == "2026-04-06T01:00:00Z"


def test_one_that_reaches_over_midnight_is_open_on_the_next_day() -> None:
    late = replace(NIGHTLY, start=at("2026-03-02T23:30:00Z"), days=("mon",), zone="UTC")
    now = at("2026-03-03T00:10:00Z")
    current = late.next(now)
    assert current is not None
    assert current.start < now < current.end


def test_the_one_that_was_cut_is_over_and_the_next_comes() -> None:
    start = at("2026-03-27T02:00:00Z")
    cut = replace(NIGHTLY, cut=Occurrence(start, start + 10 * MINUTE))
    assert cut.last(start + 20 * MINUTE) == Occurrence(start, start + 10 * MINUTE)
    following = cut.next(start + 20 * MINUTE)
    assert following == Occurrence(start + DAY, start + DAY + HOUR)


def test_the_same_times_before_are_whole_and_in_order() -> None:
    now = at("2026-03-27T12:00:00Z")
    assert len(NIGHTLY.like(now - 28 * DAY, now)) == 28
    once = Plan("w00000002", "once", "mute", now + HOUR, 2 * HOUR)
    assert [o.start - once.start for o in once.like(now - 4 * WEEK, now)] == [
        -4 * WEEK + 0,
        -3 * WEEK,
        -2 * WEEK,
        -WEEK,
    ]
    past = replace(once, start=now - 3 * HOUR)
    assert past.like(now - WEEK, now) == [Occurrence(now - 3 * HOUR, now - HOUR)]


def test_acts_say_what_stands_and_what_is_no_plan_is_passed_by() -> None:
    other = replace(NIGHTLY, name="other", labels=(("commit", "1f"),), cut=Occurrence(1, 2))
    acts = [
        Act(1, "ann", "window", NIGHTLY.id, NIGHTLY.written("made")),
        Act(2, "ann", "note", NIGHTLY.id, "no plan"),
        Act(3, "bob", "window", NIGHTLY.id, other.written("changed")),
        Act(4, "bob", "window", "w00000009", "of a release to come"),
    ]
    assert plans_of(acts) == {NIGHTLY.id: other}
    assert plans_of([*acts, Act(5, "ann", "window", NIGHTLY.id, other.written("deleted"))]) == {}


def test_what_is_too_long_to_be_written_down_is_refused() -> None:
    with pytest.raises(ConfigError, match="fewer labels"):
        replace(NIGHTLY, series="x" * 4000).written("made")
