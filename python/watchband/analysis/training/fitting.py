"""From a configuration to a model file: candidates with a model are fitted once, on what comes before the first gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from watchband.analysis.training.cut import Cut
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Series
from watchband.analysis.tuning.replay import NAIVE, Replay, Said, raw_of
from watchband.core import params
from watchband.core.artifact import SUFFIX
from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Float64, Points
from watchband.evaluation.labels import windows
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.joined import widened
from watchband.pipeline.vote import Vote

MODEL = "model"
"""The parameter that names a model file."""
CHUNK = 1 << 15
"""Points whose rows are held at a time."""
ROWS_MAX = 100_000
"""Rows that a model is fitted on; of more, so many at equal distances."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A configuration whose model was fitted.

    Parameters
    ----------
    configuration : Configuration
        With the path of the model file.
    file : Path
        The model file.
    checksum : str
        Its.
    rows : int
        Rows it was fitted on.
    names : tuple of str
        Features of a row.
    centre, scale : float64[k]
        What brings the features to one unit.
    weights : mapping of str to float
        Of a vote, which has no features: each member's.
    """

    configuration: Configuration
    file: Path
    checksum: str
    rows: int
    names: tuple[str, ...]
    centre: Float64
    scale: Float64
    weights: Mapping[str, float] = field(default_factory=dict)


def has_model(detector: str) -> bool:
    """Whether a detector of that name is fitted beforehand."""
    return detector != NAIVE and MODEL in params.params_of(CATALOGUE.get(detector))


@dataclass(eq=False)
class Fitter:
    """Fits configurations on the first part of some series, each once.

    Parameters
    ----------
    series, cuts
        Of each series what is cut off behind its first part is not looked at; nor are readings within labels.
    replay : Replay
        How readings become points.
    folder : Path
        Where model files are written.
    rows_max : int
        Most rows of a fit.
    labelled : sequence of Series, optional
        With the labels that votes are weighed by, and the ``labelled_cuts`` of these; else those above.
    """

    series: Sequence[Series]
    cuts: Sequence[Cut]
    replay: Replay
    folder: Path
    rows_max: int = ROWS_MAX
    labelled: Sequence[Series] | None = None
    labelled_cuts: Sequence[Cut] | None = None
    _done: dict[str, Fitted | str] = field(default_factory=dict, repr=False)
    _points: tuple[Points, np.ndarray] | None = field(default=None, repr=False)

    def __call__(self, configuration: Configuration) -> Configuration:
        """With the model that was fitted to it; the same where it has none.

        Raises
        ------
        DataError
            It cannot be fitted on these series; says why, and again whenever it is asked.
        """
        if not has_model(configuration.detector) or configuration.parameters.get(MODEL):
            return configuration
        return self.fitted(configuration).configuration

    def fitted(self, configuration: Configuration) -> Fitted:
        """The model of a configuration without one.

        Raises
        ------
        DataError
            As ``__call__``.
        """
        # Rule and policy come behind the scores: they share a model.
        key = replace(configuration, rule="", policy={}).key
        found = self._done.get(key)
        if found is None:
            try:
                found = self._fit(configuration, len(self._done))
            except DataError as error:
                found = str(error)
            self._done[key] = found
        if isinstance(found, str):
            raise DataError(found)
        made = {**configuration.parameters, MODEL: str(found.file)}
        return replace(found, configuration=replace(configuration, parameters=made))

    def _fit(self, configuration: Configuration, number: int) -> Fitted:
        detector: Any = configuration.build(self.replay.shared)
        if isinstance(detector, Vote):
            return self._weighed(configuration, detector, number)
        given = self.rows_of(detector.rows)
        fit = detector.fit(given)
        file = self.folder / f"{number:03d}_{configuration.detector}{SUFFIX}"
        checksum = detector.save(str(file), fit)
        return Fitted(configuration, file, checksum, len(given), tuple(fit.names), fit.centre, fit.scale)

    def _weighed(self, configuration: Configuration, vote: Vote, number: int) -> Fitted:
        from watchband.analysis.training.weighing import weighed

        file = self.folder / f"{number:03d}_{configuration.detector}{SUFFIX}"
        known = self.series if self.labelled is None else self.labelled
        cuts = self.cuts if self.labelled_cuts is None else self.labelled_cuts
        checksum, weights, points = weighed(configuration, known, cuts, self.replay, file)
        of = dict(zip(vote.members.split(), weights, strict=True))
        return Fitted(configuration, file, checksum, points, (), np.zeros(0), np.ones(0), of)

    def rows_of(self, rows: Any) -> Float64:
        """Rows of features that are whole, float64[n, k], at most ``rows_max`` of all series together."""
        points, since = self._prepared()
        whole = np.zeros(len(points), bool)
        for span, found in _stepped(rows, points):
            whole[span] = np.isfinite(found).all(axis=1)
        # Rows whose windows reach back into a label know it too; where labels are dense that would leave too few.
        clear = whole & (since > rows.memory_points)
        chosen = np.flatnonzero(clear if 2 * clear.sum() >= whole.sum() else whole & (since > 0))
        if whole.any() and not len(chosen):
            raise DataError(
                f"all {int(whole.sum()):,} rows of the part that is fitted on lie within labels: there is one class "
                "only, and nothing usual to learn. Begin earlier, in a time without incidents"
            )
        if len(chosen) > self.rows_max:
            chosen = chosen[(np.arange(self.rows_max) * len(chosen)) // self.rows_max]
        made = np.empty((len(chosen), len(rows.names)))
        # Made again and not kept: a hundred features of every point would fill the memory.
        for span, found in _stepped(rows, points):
            here = slice(*np.searchsorted(chosen, [span.start, span.stop]).tolist())
            made[here] = found[chosen[here] - span.start]
        return made

    def _prepared(self) -> tuple[Points, np.ndarray]:
        """Points of the first part of all series, and how many of them ago the last label was, 0 within one."""
        if self._points is None:
            seen = [one.before(cut.train.stop) for one, cut in zip(self.series, self.cuts, strict=True)]
            prepare = self.replay.base.prepare
            raw = raw_of(seen)
            points = prepare.step(prepare.start(len(seen)), raw, flush=True, threads=1).points
            if self.replay.base.join is not None:
                points = widened(self.replay.base.join, points, raw)
            since = np.full(len(points), np.iinfo(np.int64).max)
            for row, span in points.slices():
                here = since[span]
                for first, _, settled in windows(seen[row].labels, points.times[span]).tolist():
                    here[first : settled + 1] = 0
                    after = np.arange(1, len(here) - settled)
                    here[settled + 1 :] = np.minimum(here[settled + 1 :], after)
            self._points = points, since
        return self._points


def _stepped(rows: Any, points: Points) -> Iterator[tuple[slice, Float64]]:
    """Rows of features, some points at a time, with the places of the points."""
    for _, span in points.slices():
        state = rows.start(1)
        for begin in range(span.start, span.stop, CHUNK):
            here = slice(begin, min(begin + CHUNK, span.stop))
            yield here, rows.step(state, Points.of(points.times[here], points.values[here]))


@dataclass(eq=False)
class FittedReplay(Replay):
    """A replay that fits what has a model before it runs it."""

    fit: Callable[[Configuration], Configuration] | None = None

    def run(self, configuration: Configuration, series: Sequence[Series], fit_before: Sequence[int]) -> list[Said]:
        """As ``Replay.run``."""
        known = configuration if self.fit is None else self.fit(configuration)
        return super().run(known, series, fit_before)


def one_metric(series: Sequence[Series]) -> bool:
    """Whether all series are of one metric: only then one model can speak of all of them."""
    return len({one.key.metric for one in series}) == 1


def check_learnable(series: Sequence[Series], cuts: Sequence[Cut]) -> tuple[list[int], list[str]]:
    """Places of series that have something to learn, and notes on the others.

    Raises
    ------
    DataError
        None has.
    """
    good, notes = [], []
    for place, (one, cut) in enumerate(zip(series, cuts, strict=True)):
        wide = one.wide[one.times < cut.train.stop]
        known = wide[np.isfinite(wide).all(axis=1)]
        if not len(known):
            lacks = "a value" if one.further is None else "all its metrics at one moment; --resample gathers them"
            notes.append(f"left out, no reading with {lacks} in the part that is fitted on: {one.key}")
        elif (known == known[0]).all():
            levels = ", ".join(f"{value:g}" for value in known[0])
            notes.append(f"left out, constant ({levels}) in the part that is fitted on: {one.key}")
        else:
            good.append(place)
            still = np.flatnonzero((known == known[0]).all(axis=0)) + 1
            notes += [
                f"constant in the part that is fitted on, so any change of it is new: metric {number} of {one.key}"
                for number in still.tolist()
            ]
    if not good:
        raise DataError(
            f"There is nothing to learn from: {'; '.join(notes[:3])}. Give series that change, or more of their past."
        )
    return good, notes


def check_kinds(detectors: Mapping[str, Any] | Sequence[str], series: Sequence[Series]) -> tuple[list[str], list[str]]:
    """Detectors that can be candidates for these series, and notes on the others.

    Raises
    ------
    ConfigError
        None can.
    """
    names = list(detectors)
    if one_metric(series):
        return names, []
    kept = [name for name in names if not has_model(name)]
    left = [name for name in names if has_model(name)]
    if not kept:
        metrics = sorted({one.key.metric for one in series})
        raise ConfigError(
            f"{', '.join(left)}: one model is fitted for one metric, and this input has {len(metrics)}: "
            f"{', '.join(metrics[:5])}. Name one, with --value or --metric, and train each by itself."
        )
    return kept, [f"left out, fitted for one metric at a time: {', '.join(left)}"] if left else []


def check_columns(detectors: Sequence[str], columns: int) -> tuple[list[str], list[str]]:
    """Detectors that can judge so many metrics together, and notes on the others.

    Raises
    ------
    ConfigError
        None can.
    """
    kept = [name for name in detectors if CATALOGUE.get(name).dims_max >= columns]
    left = [name for name in detectors if name not in kept]
    if not kept:
        raise ConfigError(
            f"{', '.join(left)}: one value is read a point, and --join gives {columns}. Name candidates that read "
            "several, such as isolation_forest, one_class_svm, local_outlier_factor, pca_reconstruction or seed001."
        )
    return kept, [f"left out, one value is read a point: {', '.join(left)}"] if left else []
