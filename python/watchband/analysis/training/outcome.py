"""What a training comes to: finalists with their figures, the champion, the rule by which it was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from watchband.analysis.training.cut import Cut
from watchband.analysis.training.fitting import Fitted
from watchband.analysis.training.mistakes import Mistake
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.search import Attempt
from watchband.evaluation.metrics.bootstrap import Interval
from watchband.evaluation.metrics.point import Confusion

Role = Literal["champion", "finalist", "baseline"]
FIGURES = (
    "objective",
    "f1",
    "precision",
    "recall",
    "alerts",
    "delay",
    "point_f1",
    "point_precision",
    "point_recall",
    "fpr",
    "vus_pr",
)
"""Of each row and part: the objective; event F1, precision and recall; alerts a week and series; hours of delay; F1,
precision, recall and false positive rate of points; VUS-PR."""


@dataclass(frozen=True, slots=True)
class Finalist:
    """The best of one detector, or a baseline.

    Parameters
    ----------
    label : str
        What it is called.
    role : str
        ``champion``, ``finalist`` or ``baseline``: one that is there to be beaten and never chosen.
    configuration : Configuration
        Without the path of a model.
    validation, test : mapping of str to Interval
        See ``FIGURES``.
    gap : Interval
        Objective on the validation part minus that on the test part.
    confusion : (Confusion, Confusion)
        Points of validation and test.
    bytes : int
        Of state a series.
    fitted : Fitted, optional
        Its model.
    """

    label: str
    role: Role
    configuration: Configuration
    validation: Mapping[str, Interval]
    test: Mapping[str, Interval]
    gap: Interval
    confusion: tuple[Confusion, Confusion]
    bytes: int
    fitted: Fitted | None = None


@dataclass(frozen=True)
class Trained:
    """The result of a training.

    Parameters
    ----------
    objective, objective_text : str
        In words, and as the user writes it.
    rule : str
        By which the champion was chosen, in a sentence.
    rows : sequence of Finalist
        The champion first, then the other finalists from best to worst on validation, then the baselines.
    against : mapping of str to Interval
        Objective on the test part, the champion minus each other row, on the same points; by label.
    sentences : sequence of str
        What it means, for people.
    mistakes : sequence of Mistake
        Of the champion on the test part.
    attempts : sequence of Attempt
        Every trial.
    cuts : sequence of Cut
        Of each series.
    series : sequence of str
        Their names.
    events : (int, int)
        Labelled events in validation and test.
    weeks : (float, float)
        Weeks of all series together, in both.
    tried : int
        Configurations that were tried in all.
    injected : bool
        The labels are faults that were put into the series.
    seed : int
        Of the search.
    """

    objective: str
    objective_text: str
    rule: str
    rows: Sequence[Finalist]
    against: Mapping[str, Interval]
    sentences: Sequence[str]
    mistakes: Sequence[Mistake]
    attempts: Sequence[Attempt]
    cuts: Sequence[Cut]
    series: Sequence[str]
    events: tuple[int, int]
    weeks: tuple[float, float]
    tried: int
    injected: bool = False
    seed: int = 0
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def champion(self) -> Finalist:
        """What was chosen."""
        return self.rows[0]
