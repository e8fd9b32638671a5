"""The rule by which a challenger comes to judge, on alerts made up by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchband.analysis.retraining import Confirmed, Side, Terms, verdict
from watchband.core.alert import Alert
from watchband.core.duration import DAY, HOUR
from watchband.core.series import SeriesKey
from watchband.pipeline.ledger import group_of
from watchband.testing.contracts.outbox import an_alert

START = 20_000 * DAY
NOW = START + 7 * DAY
TERMS = Terms()


def alert(series: int, opened: int, hours: float = 1.0) -> Alert:
    key = SeriesKey("cpu", {"host": f"h{series}"})
    made = replace(an_alert(), series=key, opened=opened, decided=opened, closed=opened + int(hours * HOUR))
    return replace(made, id=f"{series}-{opened}", kind="value")


def some(count: int, seed: int = 0, series: int = 20) -> list[Alert]:
    """So many alerts on random series at random times."""
    rng = np.random.default_rng(seed)
    when = rng.integers(0, 7 * 24, count)
    return [alert(int(s), START + int(h) * HOUR) for s, h in zip(rng.integers(0, series, count), when, strict=True)]


GROUPS = {group_of(SeriesKey("cpu", {"host": f"h{i}"})) for i in range(20)}
SURE = Confirmed("one", (('cpu{host="h1"}', START + 50 * HOUR, START + 52 * HOUR),))
SEEN = alert(1, START + 51 * HOUR)


def judged(
    ours: list[Alert], theirs: list[Alert], sure: tuple[Confirmed, ...] = (SURE,), now: int = NOW, **of: float
) -> str:
    found = verdict(
        Side(ours, coverage=of.get("left")),
        Side(theirs, coverage=of.get("right")),
        sure,
        TERMS,
        since=START,
        now=now,
        groups=GROUPS,
        nominal=of.get("nominal", 0.95),
    )
    assert found.says.endswith(".")
    return found.outcome


def test_a_quieter_one_that_sees_what_was_confirmed_is_better() -> None:
    assert judged([SEEN, *some(60)], [SEEN, *some(5, 1)]) == "better"


def test_before_the_time_in_shadow_is_over_nothing_is_decided() -> None:
    assert judged([SEEN, *some(60)], [SEEN], now=NOW - DAY) == "waiting"


def test_one_that_misses_what_was_confirmed_is_worse_at_once() -> None:
    assert judged([SEEN, *some(60)], some(5, 1), now=START + 3 * DAY) == "worse"
    assert judged([SEEN], [replace(SEEN, series=SeriesKey("cpu", {"host": "h2"}))]) == "worse"


def test_a_louder_one_is_worse_and_an_equal_one_no_better() -> None:
    assert judged([SEEN, *some(5)], [SEEN, *some(60, 1)]) == "worse"
    assert judged([SEEN, *some(20)], [SEEN, *some(20, 1)]) == "no better"
    assert judged([SEEN], [SEEN]) == "no better"


def test_a_small_gain_is_none() -> None:
    ours = some(400)
    # Every day and group loses a little: the interval excludes zero, and the gain is below a tenth.
    theirs = [a for i, a in enumerate(ours) if i % 20]
    assert judged([SEEN, *ours], [SEEN, *theirs]) == "no better"


def test_a_blind_one_is_worse_by_its_coverage() -> None:
    assert judged(some(60), [], (), left=0.95, right=1.0) == "worse"
    assert judged(some(60), [], (), left=0.9, right=0.96) == "better"


def test_where_nothing_shows_that_it_sees_a_person_decides() -> None:
    assert judged(some(60), some(2), (), nominal=float("nan")) == "unproven"


def test_alerts_within_confirmed_incidents_are_not_false() -> None:
    inside = [alert(1, START + 50 * HOUR + i * HOUR // 4, 0.1) for i in range(8)]
    found = verdict(Side(inside), Side([*inside, SEEN]), [SURE], TERMS, since=START, now=NOW, groups=GROUPS)
    assert (found.champion, found.challenger) == (0, 0)


def test_days_and_groups_both_must_say_so() -> None:
    # All on one day: by days nothing is sure.
    burst = [alert(i, START + 2 * DAY + i * HOUR) for i in range(20)]
    assert judged([SEEN, *burst], [SEEN]) == "no better"
    # One series alone, every day: days say it, and groups are too few to speak.
    daily = [alert(3, START + d * DAY + h * HOUR) for d in range(7) for h in (1, 5, 9)]
    found = verdict(Side(daily), Side([]), [], TERMS, since=START, now=NOW, groups={1}, nominal=0.95)
    assert found.outcome == "better"


@pytest.mark.parametrize("now", [START + DAY, START + 7 * DAY])
def test_too_little_to_draw_from_says_so(now: int) -> None:
    short = replace(TERMS, shadow=HOUR)
    found = verdict(Side([SEEN]), Side([]), [], short, since=now - 2 * HOUR, now=now, groups={1}, nominal=0.95)
    assert found.outcome == "no better"
    assert found.spared is None
    assert "too few" in found.says


def test_where_not_all_alerts_are_kept_the_counts_speak() -> None:
    counts = {(START // DAY + d, g): 4 for d in range(7) for g in range(20)}
    loud = Side([], counts, dropped=NOW)
    found = verdict(Side(some(10)), loud, [], TERMS, since=START, now=NOW, groups=GROUPS)
    assert (found.outcome, found.challenger) == ("worse", 560)


def test_the_rule_is_said_in_words() -> None:
    assert TERMS.words.startswith("Promoted after 1w in shadow if it spares at least 10 % of the false alerts")
