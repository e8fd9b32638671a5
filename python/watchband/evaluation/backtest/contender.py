"""Contenders: what a backtest compares. Each is a whole watch, named by what tells it from the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from watchband.core.duration import WEEK
from watchband.core.errors import ConfigError
from watchband.evaluation.backtest.outside import Outside
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch


@dataclass(frozen=True)
class Contender:
    """One of the watches that are compared.

    Parameters
    ----------
    name : str
        What people call it.
    watch : Watch
        Detector, rule, policy and preparation.
    baseline : bool, default False
        It is there for comparison only.
    text : str, default the watch's ``repr``
        What tells it from every other watch, for results that are kept: equal texts, equal results.
    """

    name: str
    watch: Watch
    baseline: bool = False
    text: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text or repr(self.watch))

    @property
    def promised(self) -> float:
        """Alerts a week that its budget allows a series; NaN for a rule that promises none."""
        rule = self.watch.rule
        return rule.alerts * WEEK / rule.period_ns if isinstance(rule, Budget) else float("nan")

    def fresh(self) -> Contender:
        """The same for another series: outside functions start anew."""
        detector = self.watch.detector
        return (
            replace(self, watch=replace(self.watch, detector=detector.fresh()))
            if isinstance(detector, Outside)
            else self
        )


def groups(contenders: Iterable[Contender]) -> list[list[Contender]]:
    """Contenders that share detector and preparation: each group is replayed once a series.

    Examples
    --------
    >>> from watchband.detectors import Ewma
    >>> from watchband.pipeline.rules import Cutoff
    >>> three = [Watch("w", Ewma(), Cutoff(2)), Watch("w", Ewma(width=4), Cutoff(2)), Watch("w", Ewma(), Cutoff(3))]
    >>> [[c.name for c in group] for group in groups(Contender(n, w) for n, w in zip("abc", three))]
    [['a', 'c'], ['b']]
    """
    found: list[list[Contender]] = []
    for one in contenders:
        for group in found:
            first = group[0].watch
            if first.detector == one.watch.detector and first.prepare == one.watch.prepare:
                group.append(one)
                break
        else:
            found.append([one])
    return found


def check_names(contenders: Sequence[Contender]) -> None:
    """Raise ConfigError unless there is one or more, and every name is there once."""
    names = [one.name for one in contenders]
    if not names:
        raise ConfigError("There is nothing to compare. Give one detector or more.")
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"{name!r} is given {names.count(name)} times: name every detector, budget and policy once."
            )
