"""Tuning without labels: to the alerts a week that somebody can take, counted on the past, checked on a later part.

A budget promises a rate for the noise of a series; incidents and bursts come on top. What the past really alerted is
counted here, for several budgets, widths and policies, and the one is chosen that would have kept to what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.evidence import Evidence, gather, test_parts, validation_parts
from watchband.analysis.tuning.intervals import figure, rate
from watchband.analysis.tuning.material import Parts, Series
from watchband.analysis.tuning.objective import alerts_a_week
from watchband.analysis.tuning.replay import Replay
from watchband.core import params
from watchband.core.duration import WEEK, format_duration
from watchband.core.params import Among
from watchband.evaluation.metrics.bootstrap import Interval
from watchband.pipeline.policy import Policy
from watchband.pipeline.rules import Budget, parse_rule

FACTORS = (1 / 16, 1 / 4, 1.0, 4.0)
"""Budgets that are tried, as multiples of what is asked."""
WIDTHS = (2.0, 3.0, 6.0)
"""Half widths of the band that are tried, in scale units."""
KINDS = ("as it is", "budget", "policy", "width")
HALVINGS = 5
"""Steps towards the budget, or the width, whose past alerts are what is asked."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to set the number of alerts.

    Parameters
    ----------
    kind : str
        ``as it is``, ``budget``, ``policy`` or ``width``.
    configuration : Configuration
        What it is.
    past, later : Interval
        Alerts a week and series in the part it is chosen on, and in the later part that nobody looked at.
    counts : (float, float)
        Alerts in both parts, all series together.
    """

    kind: str
    configuration: Configuration
    past: Interval
    later: Interval
    counts: tuple[float, float]


@dataclass(frozen=True)
class Budgeted:
    """What tuning to a budget comes to.

    Parameters
    ----------
    asked : float
        Alerts a week and series.
    options : sequence of Option
        Every one that was tried, the one in use first.
    chosen : Option
        The one to use.
    kept : bool
        It is the one in use: the past cannot tell it from what is asked.
    met : bool
        What the later part had is no contradiction: its interval holds what is asked, or lies below.
    sentences : sequence of str
        The decision and its reasons.
    weeks : (float, float)
        Weeks of all series together, in both parts.
    parts, series
        As in ``Tuned``.
    """

    asked: float
    options: Sequence[Option]
    chosen: Option
    kept: bool
    met: bool
    sentences: Sequence[str]
    weeks: tuple[float, float]
    parts: Sequence[Parts]
    series: Sequence[str]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def tried(self) -> int:
        """Configurations that were tried."""
        return len(self.options)

    def nearest(self, each: int = 2) -> list[Option]:
        """The one in use, the chosen one, and of each kind those that come nearest to what is asked; by past alerts."""
        far = [(abs(np.log((o.past.value + 0.02) / (self.asked + 0.02))), i) for i, o in enumerate(self.options)]
        found = [self.options[0], *([] if self.chosen is self.options[0] else [self.chosen])]
        for _, i in sorted(far):
            option = self.options[i]
            alike = [o for o in found if o.kind == option.kind]
            if option not in found and len(alike) < each and all(o.counts != option.counts for o in alike):
                found.append(option)
        return found[:1] + sorted(found[1:], key=lambda o: (KINDS.index(o.kind), -o.past.value))


class _Counter:
    """Counts the alerts of configurations on both parts."""

    def __init__(self, series: Sequence[Series], parts: Sequence[Parts], replay: Replay) -> None:
        self.series, self.parts, self.replay = series, parts, replay
        self.tell: Callable[[], None] = lambda: None
        self.weeks = (0.0, 0.0)

    def option(self, kind: str, configuration: Configuration) -> Option:
        """What a configuration would have alerted."""
        said = self.replay.run(configuration, self.series, [p.validation.start for p in self.parts])
        before = gather(said, self.series, validation_parts(self.parts), ranked=False)
        after = gather(said, self.series, test_parts(self.parts), ranked=False)
        self.weeks = before["weeks"], after["weeks"]
        self.tell()
        return Option(kind, configuration, _rate(before), _rate(after), (before["alerts"], after["alerts"]))


def to_budget(
    series: Sequence[Series],
    parts: Sequence[Parts],
    replay: Replay,
    default: Configuration,
    asked: float,
    *,
    tell: Callable[[int, int], None] | None = None,
) -> Budgeted:
    """Choose budget, policy or width so that past alerts a week are what somebody asks.

    Parameters
    ----------
    series, parts
        Labels are not looked at.
    replay : Replay
        What the user stated.
    default : Configuration
        The one in use.
    asked : float
        Alerts a week and series.
    tell : callable, optional
        Called with the number of configurations tried, and how many there will be.
    """
    counter = _Counter(series, parts, replay)
    policies = _policies(default)
    total = 1 + len(FACTORS) + len(WIDTHS) + (2 + len(policies)) * HALVINGS
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if tell:
            tell(min(done, total), total)

    counter.tell = step
    options = [counter.option("as it is", default)]
    if isinstance(parse_rule(default.rule), Budget):
        options += _budgets(counter, default, asked)
        for policy in policies:
            waiting = replace(default, policy={**default.policy, **policy})
            options += _bisect(counter, "policy", partial(_with_budget, waiting), (asked / 8, asked * 16), asked)
    options += [counter.option("width", _with_width(default, width)) for width in WIDTHS]
    # A wider band alerts less: minus its logarithm grows with the alerts, as a budget does.
    options += _bisect(counter, "width", lambda x: _with_width(default, 1 / x), (1 / 60, 1 / 1.5), asked)
    chosen, kept, sentences = _choose(options, asked)
    return Budgeted(
        asked,
        options,
        chosen,
        kept,
        bool(chosen.later.low <= asked),
        sentences,
        counter.weeks,
        parts,
        [str(s.key) for s in series],
    )


def _policies(default: Configuration) -> list[dict[str, int]]:
    search = params.searches_of(Policy)["consecutive"]
    assert isinstance(search, Among)
    return [{"consecutive": n} for n in search.values if n > 1 and n > default.policy.get("consecutive", 1)]


def _budgets(counter: _Counter, default: Configuration, asked: float) -> list[Option]:
    grid = [counter.option("budget", _with_budget(default, asked * factor)) for factor in FACTORS]
    return grid + _bisect(counter, "budget", partial(_with_budget, default), (asked / 64, asked * 16), asked)


def _bisect(
    counter: _Counter,
    kind: str,
    make: Callable[[float], Configuration],
    ends: tuple[float, float],
    asked: float,
) -> list[Option]:
    """Nearer and nearer to the one whose past alerts are what is asked."""
    low, high = np.log(ends[0]), np.log(ends[1])
    found = []
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        option = counter.option(kind, make(float(np.exp(middle))))
        found.append(option)
        low, high = (middle, high) if option.past.value <= asked else (low, middle)
    return found


def _size(configuration: Configuration) -> float:
    """Of equal ones the budget that changes least is the largest, the width the smallest."""
    rule = parse_rule(configuration.rule)
    return rule.alerts if isinstance(rule, Budget) else -getattr(rule, "x", 0.0)


def _with_budget(configuration: Configuration, alerts: float) -> Configuration:
    return replace(configuration, rule=f"budget:{float(f'{alerts:.3g}'):g}/{format_duration(WEEK)}")


def _with_width(configuration: Configuration, width: float) -> Configuration:
    return replace(configuration, rule=f"cutoff:{float(f'{width:.3g}'):g}")


def _rate(evidence: Evidence) -> Interval:
    """Alerts a week and series; as wide as chance of its own or as the stretches differ, whichever is more."""
    plain = rate(evidence["alerts"], evidence["weeks"])
    drawn = figure(evidence.table, alerts_a_week, counts=True)
    lows = [x for x in (plain.low, drawn.low) if np.isfinite(x)]
    highs = [x for x in (plain.high, drawn.high) if np.isfinite(x)]
    if not lows:
        return plain
    return Interval(plain.value, float(min(lows)), float(max(highs)))


def _choose(options: Sequence[Option], asked: float) -> tuple[Option, bool, list[str]]:
    default = options[0]
    if default.past.low <= asked <= default.past.high:
        return (
            default,
            True,
            [
                f"Keep what you have: it alerted {told(default.past)} times a week per series, and you ask "
                f"{asked:.3g}. That lies within: the past cannot tell the two apart.",
                *_later(default, asked),
            ],
        )
    keeps = [o for o in options[1:] if o.past.value <= asked]
    # The smallest change first: the budget alone, then waiting for more points, then a width that means one detector.
    for kind in ("budget", "policy", "width"):
        some = [o for o in keeps if o.kind == kind and o.past.high >= asked]
        if some:
            best = max(some, key=lambda o: (o.past.value, _size(o.configuration)))
            return best, False, [*_changed(default, best, asked), *_later(best, asked)]
    best = min(options, key=lambda o: (abs(np.log((o.past.value + 0.02) / (asked + 0.02))), o.kind != "budget"))
    return (
        best,
        best is default,
        [
            f"Nothing that was tried comes to {asked:.3g} a week: the nearest is {told(best.past)}.",
            *_later(best, asked),
        ],
    )


def _changed(default: Option, best: Option, asked: float) -> list[str]:
    return [
        f"You ask for {asked:.3g} alert{'' if asked == 1 else 's'} a week per series; what you have gave "
        f"{told(default.past)}. With {best.configuration.flags} the same weeks would have had {told(best.past)}."
    ]


def _later(option: Option, asked: float) -> list[str]:
    if option.later.low > asked:
        return [
            f"It did not hold: the later part, which nothing was chosen on, had {told(option.later)}. The series "
            "changed, or had incidents of its own."
        ]
    fewer = ": fewer than you ask, so there is room" if option.later.high < asked else ""
    return [f"The later part, which nothing was chosen on, had {told(option.later)}{fewer}."]


def told(found: Interval) -> str:
    """A rate with its interval.

    Examples
    --------
    >>> told(Interval(1.234, 0.5, 2.5))
    '1.23 (0.50 to 2.50)'
    """
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
