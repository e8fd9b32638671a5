"""What a tuning comes to: rows of a table, a decision with its reasons, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Parts
from watchband.analysis.tuning.search import Attempt
from watchband.evaluation.metrics.bootstrap import Interval

Role = Literal["default", "found", "baseline"]
Decision = Literal["better", "no difference", "worse", "nothing found"]
FIGURES = ("objective", "f1", "precision", "recall", "alerts", "delay", "fpr", "vus_pr")
"""Of each row and part: the objective; event F1, precision and recall; alerts a week and series; hours of delay; share
of normal points called anomalous; VUS-PR."""


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration in the table.

    Parameters
    ----------
    label : str
        What it is called.
    role : str
        ``default``, ``found`` (the best on the validation part) or ``baseline``.
    configuration : Configuration
        What it is.
    validation, test : mapping of str to Interval
        See ``FIGURES``.
    against : Interval or None
        Objective on the test part minus that of the default, on the same points; None for the default.
    banded : float
        Share of points with a drawn band: what people can look at.
    """

    label: str
    role: Role
    configuration: Configuration
    validation: Mapping[str, Interval]
    test: Mapping[str, Interval]
    against: Interval | None
    banded: float


@dataclass(frozen=True, slots=True)
class Step:
    """One point of the curve: the best configuration so far, on both parts."""

    number: int
    validation: float
    test: float


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the rule of 35 rows: what it asks, what was found, and whether the interval settles it."""

    asks: str
    found: str
    holds: bool
    settled: bool


@dataclass(frozen=True)
class Tuned:
    """The result of a search.

    Parameters
    ----------
    objective, objective_text : str
        In words, and as the user writes it.
    rule : str
        The decision rule that was asked for.
    rows : sequence of Row
        Default first, then the one that was found, then the baselines.
    decision : str
        ``better``, ``no difference``, ``worse`` or ``nothing found``.
    sentences : sequence of str
        The decision and its reasons, for people.
    chosen : Configuration
        The one that was found where it is better, else the default.
    gap : Interval
        Objective on the validation part minus that on the test part, of the one that was found.
    attempts : sequence of Attempt
        Every trial of this study.
    curve : sequence of Step
        Best so far on both parts.
    tried : int
        Configurations that were tried in all, those of earlier studies in the same storage and the baselines counted.
    parts : sequence of Parts
        Of each series.
    series : sequence of str
        Their names.
    events : (int, int)
        Labelled events in validation and test.
    weeks : (float, float)
        Weeks of all series together, in both.
    checks : sequence of Check
        The rule of 35 rows for what was found.
    injected : bool
        The labels are faults that were put into the series.
    seed : int
        Of the search.
    """

    objective: str
    objective_text: str
    rule: str
    rows: Sequence[Row]
    decision: Decision
    sentences: Sequence[str]
    chosen: Configuration
    gap: Interval
    attempts: Sequence[Attempt]
    curve: Sequence[Step]
    tried: int
    parts: Sequence[Parts]
    series: Sequence[str]
    events: tuple[int, int]
    weeks: tuple[float, float]
    checks: Sequence[Check]
    injected: bool = False
    seed: int = 0
    notes: Sequence[str] = field(default_factory=tuple)

    def row(self, role: Role) -> Row:
        """The first row of a role."""
        return next(r for r in self.rows if r.role == role)
