"""What a backtest gives: figures of every candidate, alerts, errors, tables, a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.apps.library.backtest.ledger import Ledger, Record
from watchband.apps.library.backtest.scores import read_scores
from watchband.apps.library.backtest.spool import Spooled
from watchband.apps.library.backtest.work import Failure
from watchband.core.errors import UnknownNameError
from watchband.evaluation.backtest.assess import FALSE, Event, Outcome
from watchband.evaluation.backtest.assess import Told as ToldAlert
from watchband.evaluation.backtest.choosing import Choices, Lead, choose, lead
from watchband.evaluation.backtest.contender import Contender
from watchband.evaluation.backtest.figures import Figures, figures
from watchband.evaluation.backtest.periods import Plan, Span
from watchband.evaluation.backtest.points import PointFigures, SeriesPoints, point_figures, series_points
from watchband.evaluation.labels import Label

if TYPE_CHECKING:
    import pyarrow as pa

POINT_NAMES = tuple(one.name for one in fields(PointFigures))
NAMES = (*(one.name for one in fields(Figures)), *POINT_NAMES)
"""Names of the figures of a candidate."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What came of one series: the span that counts, and of every candidate its record and its outcome."""

    series: Spooled
    span: Span
    outcomes: Mapping[str, tuple[Record, Outcome]]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A false alert (``told``) or a missed event (``event``) of a candidate; or an alert that nobody called either."""

    candidate: str
    series: str
    told: ToldAlert | None = None
    event: Event | None = None

    @property
    def kind(self) -> str:
        """``false alert`` or ``missed event``; ``alert`` where nobody knows."""
        if self.told is None:
            return "missed event"
        return "false alert" if self.told.verdict in FALSE else "alert"


@dataclass(frozen=True, kw_only=True, eq=False)
class Backtest:
    """The result of ``backtest``.

    Attributes
    ----------
    contenders : list of Contender
        The candidates, in the order in which they were named; baselines last.
    figures : dict of str to Figures
        Of each candidate, by name, over everything that counts.
    lead : Lead or None
        The two best and whether their difference is more than chance.
    choices : Choices or None
        With splits: what choosing in the past would have brought.
    told : list of Told
        Series by series.
    failures : list of Failure
        Replays that could not be made. A series that one candidate could not judge counts for none.
    """

    contenders: Sequence[Contender]
    told: Sequence[Told]
    labels: Mapping[str, Sequence[Label]]
    labelled: bool
    plan: Plan
    failures: Sequence[Failure]
    notes: Sequence[str]
    title: str
    settings: Mapping[str, Any]
    zone: str
    command: str
    ledger: Ledger
    keys: Mapping[tuple[str, str], str]

    @property
    def names(self) -> list[str]:
        """Names of all candidates."""
        return [one.name for one in self.contenders]

    @property
    def choosable(self) -> list[str]:
        """Names of those that may be chosen: baselines only where there is nothing else."""
        return [one.name for one in self.contenders if not one.baseline] or self.names

    def outcomes(self, candidate: str) -> list[Outcome]:
        """What came of every series under a candidate.

        Raises
        ------
        UnknownNameError
            No candidate has that name.
        """
        if candidate not in self.names:
            raise UnknownNameError("candidate", candidate, self.names)
        return [one.outcomes[candidate][1] for one in self.told]

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """Figures of every candidate."""
        return {c.name: figures(self.outcomes(c.name), c.promised, labelled=self.labelled) for c in self.contenders}

    @cached_property
    def points(self) -> dict[str, PointFigures]:
        """Figures by points of every candidate, from the kept scores; empty without labels or scores."""
        if not self.labelled or not all(self.scores_of(*pair).exists() for pair in self._pairs):
            return {}
        return {name: point_figures(self._by_points(name)) for name in self.names}

    @property
    def _pairs(self) -> list[tuple[str, str]]:
        return [(str(one.series.key), name) for one in self.told for name in self.names]

    def _by_points(self, candidate: str) -> Iterator[SeriesPoints]:
        for one in self.told:
            series = str(one.series.key)
            times, columns = read_scores(self.scores_of(series, candidate), ("anomaly_score",))
            yield series_points(times, columns["anomaly_score"], self.labels[series], one.span)

    def values(self, candidate: str) -> dict[str, float]:
        """Every figure of a candidate as a plain number, by name; NaN where it is not known."""
        points = self.points[candidate].values() if self.points else dict.fromkeys(POINT_NAMES, float("nan"))
        return {**self.figures[candidate].values(), **points}

    @cached_property
    def lead(self) -> Lead | None:
        """The two best by event F1."""
        every = {name: self.outcomes(name) for name in self.names}
        return lead(every, self.figures, self.choosable) if self.labelled else None

    @cached_property
    def choices(self) -> Choices | None:
        """What choosing in the past would have brought; None without splits."""
        if not self.plan.splits or not self.told:
            return None
        every = {name: self.outcomes(name) for name in self.names}
        promised = {one.name: one.promised for one in self.contenders}
        return choose(every, promised, self.plan, self.choosable, labelled=self.labelled)

    def alerts(self, candidate: str | None = None) -> Iterator[tuple[str, str, ToldAlert]]:
        """Candidate, series and alert, in this order, of one candidate or of all."""
        for name in self.names if candidate is None else [candidate]:
            for outcome in self.outcomes(name):
                for told in outcome.told:
                    yield name, outcome.series, told

    def mistakes(self, candidate: str | None = None) -> list[Mistake]:
        """False alerts, the strangest first, and missed events, the largest first, of one candidate or of all."""
        found = []
        for name in self.names if candidate is None else [candidate]:
            for outcome in self.outcomes(name):
                found += [Mistake(name, outcome.series, told=t) for t in outcome.told if t.verdict in FALSE]
                found += [Mistake(name, outcome.series, event=e) for e in outcome.events if not e.found]
        return sorted(found, key=_weight)

    def strangest(self, candidate: str) -> list[Mistake]:
        """Alerts of a candidate that nobody called right or wrong, the strangest first."""
        told = [(outcome.series, t) for outcome in self.outcomes(candidate) for t in outcome.told]
        return sorted((Mistake(candidate, s, told=t) for s, t in told if t.verdict == "unknown"), key=_weight)

    def table(self) -> pa.Table:
        """The figures as an Arrow table: one row a candidate; ``…_low`` and ``…_high`` are the ends of intervals."""
        import pyarrow as pa

        from watchband.apps.library.backtest.document import figure_row

        return pa.Table.from_pylist([{"candidate": n, **figure_row(f)} for n, f in self.figures.items()])

    def scores_of(self, series: str, candidate: str) -> Path:
        """The Parquet file with what a candidate says of every point of a series."""
        key = self.keys.get((series, candidate))
        if key is None:
            raise UnknownNameError(
                "series and candidate", f"{series}, {candidate}", [f"{s}, {c}" for s, c in self.keys]
            )
        return self.ledger.scores(key)

    def to_dict(self) -> dict[str, Any]:
        """Everything but scores, as plain data: the document of ``--json``."""
        from watchband.apps.library.backtest.document import document

        return document(self)

    def write(self) -> list[str]:
        """Write tables, summary and report into the results directory; the names of the files."""
        from watchband.apps.library.backtest.files import write_files

        with self.ledger.held():
            return write_files(self)

    def __repr__(self) -> str:
        parts = []
        for name, one in self.figures.items():
            found = f", F1 {one.event_f1.value:.2f}" if self.labelled and one.events else ""
            parts.append(f"{name}: {one.alerts_per_week.value:.2f} alerts a week{found}")
        return f"Backtest({len(self.told)} series; {'; '.join(parts)})"


def _weight(one: Mistake) -> tuple[int, float, str]:
    if one.told is not None:
        return 0, -abs(one.told.alert.anomaly_score), one.series
    assert one.event is not None
    size = abs(one.event.label.size)
    return 1, -(size if size == size else 0.0), one.series
