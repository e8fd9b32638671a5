"""Choosing: the best contender of what came before, judged by what came after."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchband.evaluation.backtest.assess import Outcome
from watchband.evaluation.backtest.figures import Figures, difference, figures
from watchband.evaluation.backtest.periods import Plan, Span
from watchband.evaluation.metrics.bootstrap import Interval

EVENTS_MIN = 10
"""With fewer labelled events nobody is called a winner, whatever the interval says."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One split: who was chosen in what came before, and what everybody did afterwards.

    Parameters
    ----------
    number : int
        Counted from 1.
    chosen : str
        Name of the contender that was best while choosing.
    choosing, reporting : mapping of str to Figures
        Of every contender.
    """

    number: int
    chosen: str
    choosing: Mapping[str, Figures]
    reporting: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Choices:
    """What choosing would have brought.

    Parameters
    ----------
    splits : list of Choice
        One a split.
    honest : Figures
        Of whoever was chosen each time, over all reporting periods: what a user who chooses like this can expect.
    loss : float
        Event F1 (without labels: minus the distance from the promise) of the chosen while choosing, minus that while
        reporting; mean of the splits. Large is overfitting.
    """

    splits: list[Choice]
    honest: Figures
    loss: float


@dataclass(frozen=True, slots=True)
class Lead:
    """The two best contenders, and whether the difference is more than chance.

    Parameters
    ----------
    first, second : str
        Their names.
    difference : Interval
        Event F1 of the first minus the second, over the same series.
    events : int
        Labelled events that it rests on.
    """

    first: str
    second: str
    difference: Interval
    events: int

    @property
    def clear(self) -> bool:
        """Whether there is a winner: the interval leaves out 0, and there are events enough to draw from."""
        return self.difference.low > 0 and self.events >= EVENTS_MIN


def worth(found: Figures, *, labelled: bool) -> float:
    """What a contender is chosen by, higher is better: event F1, and without labels how near it is to its promise.

    A contender without a promise, or without anything to count, is worth least.
    """
    value = found.event_f1.value if labelled else -abs(math.log(max(found.over_promise.value, 1e-3)))
    return -math.inf if math.isnan(value) else value


def lead(outcomes: Mapping[str, Sequence[Outcome]], every: Mapping[str, Figures], names: Sequence[str]) -> Lead | None:
    """The two best by event F1; None with fewer than two that can be told."""
    ranked = sorted(
        (n for n in names if every[n].event_f1.value == every[n].event_f1.value),
        key=lambda n: -worth(every[n], labelled=True),
    )
    if len(ranked) < 2:
        return None
    first, second = ranked[:2]
    return Lead(first, second, difference(outcomes[first], outcomes[second]), every[first].events)


def choose(
    outcomes: Mapping[str, Sequence[Outcome]],
    promised: Mapping[str, float],
    plan: Plan,
    names: Sequence[str],
    *,
    labelled: bool = True,
) -> Choices:
    """Choose in each split among ``names`` and report.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        Of every contender, series by series, over all that counts.
    promised : mapping of str to float
        Alerts a week that each one's budget allows.
    plan : Plan
        With one split or more.
    names : sequence of str
        Contenders that may be chosen.
    labelled : bool, default True
        False: chosen is whoever is nearest to its promise.
    """
    found, kept, promise, losses = [], [], [], []
    for number in range(plan.splits):

        def part(name: str, which: str, number: int = number) -> list[Outcome]:
            cut = []
            for one in outcomes[name]:
                split = plan.parts(Span(one.start, one.end))[number]
                before, later = split.choosing.end, split.reporting
                cut.append(one.known_at(before) if which == "choosing" else one.within(later.start, later.end))
            return cut

        before = {n: figures(part(n, "choosing"), promised[n], labelled=labelled) for n in outcomes}
        after = {n: figures(part(n, "reporting"), promised[n], labelled=labelled) for n in outcomes}
        # Of equals the one that was named first.
        chosen = max(names, key=lambda n: (worth(before[n], labelled=labelled), -names.index(n)))
        found.append(Choice(number + 1, chosen, before, after))
        kept += part(chosen, "reporting")
        promise.append(promised[chosen])
        lost = worth(before[chosen], labelled=labelled) - worth(after[chosen], labelled=labelled)
        losses += [lost] if math.isfinite(lost) else []
    same = promise[0] if len(set(promise)) == 1 else math.nan
    return Choices(found, figures(kept, same, labelled=labelled), sum(losses) / len(losses) if losses else math.nan)
