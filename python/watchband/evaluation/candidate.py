"""Candidates: whatever can be judged, made from what users write.

A candidate is a detector (of Watchband, of an outside package, an ensemble), a function from times and values to
scores, or an outside program that reads points on its standard input and answers with scores.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points

import numpy as np

from watchband.core.detector import Detector
from watchband.core.errors import ConfigError, PointsShapeError
from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import Scores
from watchband.evaluation.program import Program
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.ensemble import Ensemble

Raw = Callable[[Int64, Float64], Float64]
"""From times (int64[n], ns UTC) and values (float64[n]) to one score a point: higher is stranger, NaN is no opinion;
strictly causal, so that the score of a point depends on it and on earlier ones only."""
Candidate = Detector | Raw
EXEC, IMPORT = "exec:", "import:"


def candidate(what: str | Candidate, *, answer_seconds: float = 30.0) -> Candidate:
    """What is to be judged, from however it is named.

    Parameters
    ----------
    what : str or Detector or callable
        The name of a detector or preset with its parameters (``ewma:width=4``), of an entry point of the group
        ``watchband.detectors`` (a subclass of ``Detector`` or a function like ``Raw``), ``import:package.module:name``
        (the same, or an instance), ``exec:COMMAND`` (see ``Program``); or a detector or function itself.
    answer_seconds : float, default 30
        How long an outside program may take for an answer.

    Raises
    ------
    UnknownNameError
        Nothing has that name; the message lists the nearest and all known ones.
    ConfigError
        Something of that name that cannot be judged, or a parameter that cannot be.

    Examples
    --------
    >>> candidate("ewma:width=4").width
    4.0
    >>> score(candidate(lambda times, values: values), np.arange(3), np.array([1.0, 5.0, 2.0])).score.tolist()
    [1.0, 5.0, 2.0]
    """
    if not isinstance(what, str):
        return _checked(what, repr(what))
    if what.startswith(EXEC):
        return Program(what.removeprefix(EXEC), answer_seconds)
    if what.startswith(IMPORT):
        return _checked(_imported(what), what)
    name = what.partition(":")[0].strip()
    if name not in CATALOGUE.table:
        for point in entry_points(group=CATALOGUE.group):
            if point.name == name and not isinstance(found := point.load(), type):
                return _checked(found, what)
    return CATALOGUE.parse(what)


def name_of(what: str | Candidate) -> str:
    """What people call a candidate.

    Examples
    --------
    >>> name_of("ewma"), name_of(candidate("ewma")), name_of(np.abs), name_of(Program("awk '{print 1}'"))
    ('ewma', 'ewma', 'absolute', "exec:awk '{print 1}'")
    """
    if isinstance(what, str):
        return what
    if isinstance(what, Detector):
        return what.name
    return str(what) if isinstance(what, Program) else getattr(what, "__name__", type(what).__name__)


def score(candidate: Candidate, times: Int64, values: Float64) -> Scores:
    """The candidate's own scores of one series.

    Raises
    ------
    PointsShapeError
        A function answered with something other than one number a point.
    DataError
        An outside program failed, was too slow, or gave something other than one number a line.
    """
    points = Points.of(times, values)
    if isinstance(candidate, Detector):
        return candidate.step(candidate.start(), points, threads=1)
    return plain(points, candidate(times, values), name_of(candidate))


def plain(points: Points, raw: Float64, name: str = "The candidate") -> Scores:
    """Scores that are no distance; below 0 counts as 0.

    Raises
    ------
    PointsShapeError
        Not one number a point.
    """
    try:
        found = np.asarray(raw, np.float64)
    except (TypeError, ValueError) as error:
        raise PointsShapeError(f"{name} answered with {raw!r:.80}. Expected one number a point.") from error
    if found.shape != (len(points),):
        raise PointsShapeError(
            f"{name} gave scores of shape {found.shape} for {len(points)} points. Expected one each."
        )
    scores = Scores.blank(points)
    scores.score[:] = np.maximum(found, 0)
    return scores


def score_key(candidate: Candidate) -> object:
    """Equal for candidates that score alike: ensembles of the same members differ in weights only afterwards."""
    if isinstance(candidate, Ensemble):
        return tuple((m.label, repr(m.detector), m.reads, m.holds) for m in candidate.members)
    return id(candidate)


def _checked(found: object, what: str) -> Candidate:
    if isinstance(found, type) and issubclass(found, Detector):
        return found()
    if isinstance(found, Detector):
        return found
    if callable(found) and not isinstance(found, type):
        return found
    raise ConfigError(
        f"{what} is {found!r:.80}. Expected a detector, a subclass of it, or a function (times, values) -> scores."
    )


def _imported(what: str) -> object:
    module, _, attribute = what.removeprefix(IMPORT).partition(":")
    if not module or not attribute:
        raise ConfigError(f"{what!r} names nothing to import. Write import:package.module:name.")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{what!r} cannot be imported: {error}.") from error
