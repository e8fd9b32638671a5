"""Labelled rows divided at random, as is often done: kept to show that it leaks.

Rows of one event lie in both sets, so what is chosen for an event is rewarded for the same event. The figures look
alike in both sets (the rule of 35 rows is pleased) and say nothing of the next event. Beside them stands the same
search with parts in the order of time. Figures are F1 of points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.evidence import AT, COLUMNS, gather
from watchband.analysis.tuning.intervals import figure
from watchband.analysis.tuning.material import Part, Parts, Series, fingerprint_bytes
from watchband.analysis.tuning.objective import point_f1
from watchband.analysis.tuning.replay import Replay, Said
from watchband.analysis.tuning.search import TRIALS, Search, best
from watchband.analysis.tuning.space import Space
from watchband.core.errors import ConfigError
from watchband.core.points import Float64
from watchband.evaluation.labels import windows
from watchband.evaluation.metrics.bootstrap import Interval

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Side:
    """One way to divide, and what was found with it.

    Parameters
    ----------
    label : str
        ``rows at random`` or ``in time``.
    configuration : Configuration
        The highest where it was chosen.
    validation, test : Interval
        F1 of points.
    """

    label: str
    configuration: Configuration
    validation: Interval
    test: Interval


@dataclass(frozen=True)
class Leaked:
    """What both ways say of the same series.

    Parameters
    ----------
    sides : (Side, Side)
        Rows at random first.
    default : Configuration
        In use, and kept: nothing is chosen here.
    tried : int
        Configurations, both searches together.
    sentences : sequence of str
        What it means.
    parts, series, weeks
        As in ``Tuned``.
    """

    sides: tuple[Side, Side]
    default: Configuration
    tried: int
    sentences: Sequence[str]
    parts: Sequence[Parts]
    series: Sequence[str]
    weeks: tuple[float, float]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def leak(self) -> float:
        """How much higher the test figure of rows at random is than that in time."""
        return self.sides[0].test.value - self.sides[1].test.value


def stratified(
    series: Sequence[Series],
    parts: Sequence[Parts],
    replay: Replay,
    space: Space,
    *,
    test_share: float = 0.35,
    trials: int = TRIALS,
    seed: int = 0,
    storage: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[int, int], None] | None = None,
) -> Leaked:
    """Search twice, with rows divided at random and with parts in time, and report both.

    Parameters
    ----------
    series, parts, replay, space, trials, seed, storage, stop, tell
        As for ``tune``.
    test_share : float, default 0.35
        Share of rows in the test set.

    Raises
    ------
    ConfigError
        There are no labelled rows to divide.
    """
    task = fingerprint_bytes(series) + replay.task + repr((tuple(parts), test_share)).encode()
    drawn = _Random(series, parts, replay, test_share, seed)
    timed = _Timed(series, parts, replay)
    sides, tried = [], 0
    for label, bench in (("rows at random", drawn), ("in time", timed)):
        study = Search(space, label.encode() + task, seed=seed, storage=storage)

        def value(configuration: Configuration, rung: int, bench: _Random | _Timed = bench) -> float:
            return float(point_f1(bench.tables(configuration)[0].sum(axis=0, keepdims=True))[0])

        found = best(study.run(value, 1, trials, stop=stop, tell=tell))
        tried = max(tried + len(study.attempts), study.tried)
        if found is None:
            raise ConfigError("No labelled row lies within these parts, so there is nothing to divide.")
        before, after = bench.tables(found.configuration)
        sides.append(Side(label, found.configuration, _points(before), _points(after)))
    result = Leaked(
        (sides[0], sides[1]),
        space.default(space.detectors[0]),
        tried,
        [],
        parts,
        [str(s.key) for s in series],
        timed.weeks,
    )
    object.__setattr__(result, "sentences", _sentences(result))
    return result


def _points(table: Float64) -> Interval:
    return figure(table, point_f1, counts=False, always=True)


def _sentences(result: Leaked) -> list[str]:
    random, timed = result.sides
    said = [
        "These figures leak. Rows of one event were divided at random between the two sets, so that what is chosen for "
        "an event is rewarded for the same event. They are here to show it, and nothing is chosen by them.",
        f"Rows at random promise a test F1 of points of {random.test.value:.3f}; in the order of time, with a gap, the "
        f"same search comes to {timed.test.value:.3f}.",
    ]
    if result.leak > 0:
        said.append(f"The leak is worth {result.leak:.3f} here.")
    else:
        said.append("Here the leak shows no gain, which says nothing of the next series.")
    gap = abs(random.validation.value - random.test.value)
    said.append(
        f"|validation − test| is {gap:.3f} for rows at random: the rule of 35 rows is "
        f"{'pleased' if gap < 0.01 else 'not far off'}, because both sets hold the same events."
    )
    return said


class _Random:
    """Rows at random, in equal shares of labelled and other ones."""

    def __init__(
        self, series: Sequence[Series], parts: Sequence[Parts], replay: Replay, share: float, seed: int
    ) -> None:
        self.series, self.parts, self.replay = series, parts, replay
        self.share, self.seed = share, seed

    def tables(self, configuration: Configuration) -> tuple[Float64, Float64]:
        """Evidence of the validation and of the test rows, one row of the table a series."""
        said = self.replay.run(configuration, self.series, [p.validation.start for p in self.parts])
        rng = np.random.default_rng(self.seed)
        made = [self._one(*row, rng) for row in zip(said, self.series, self.parts, strict=True)]
        return np.concatenate([a for a, _ in made]), np.concatenate([b for _, b in made])

    def _one(self, said: Said, series: Series, parts: Parts, rng: np.random.Generator) -> tuple[Float64, Float64]:
        n = len(said.times)
        event = np.zeros(n, bool)
        for first, last, _ in windows(series.labels, said.times).tolist():
            event[first : last + 1] = True
        counted = said.times >= parts.validation.start
        tested = np.zeros(n, bool)
        for kind in (event & counted, ~event & counted):
            rows = np.flatnonzero(kind)
            tested[rng.permutation(rows)[: round(self.share * len(rows))]] = True
        strange = np.nan_to_num(said.anomaly_score, nan=0.0) > 1
        return _table(event, strange, counted & ~tested), _table(event, strange, counted & tested)


def _table(event: Bools, strange: Bools, rows: Bools) -> Float64:
    """One stretch a row, as whoever divides rows at random believes."""
    where = np.flatnonzero(rows & (event | strange))
    table = np.zeros((len(where) + 1, len(COLUMNS)))
    for name, kind in (("hits", event & strange), ("misses", event & ~strange), ("wrong", ~event & strange)):
        table[:-1, AT[name]] = kind[where]
    table[-1, AT["right"]] = float((rows & ~event & ~strange).sum())
    return table


class _Timed:
    """Parts in the order of time."""

    def __init__(self, series: Sequence[Series], parts: Sequence[Parts], replay: Replay) -> None:
        self.series, self.parts, self.replay = series, parts, replay
        self.weeks = (0.0, 0.0)

    def tables(self, configuration: Configuration) -> tuple[Float64, Float64]:
        """Evidence of the validation and of the test part."""
        seen = [s.before(p.validation.stop) for s, p in zip(self.series, self.parts, strict=True)]
        before = self._gather(configuration, seen, [p.validation for p in self.parts])
        after = self._gather(configuration, list(self.series), [p.test for p in self.parts])
        self.weeks = float(before[:, AT["weeks"]].sum()), float(after[:, AT["weeks"]].sum())
        return before, after

    def _gather(self, configuration: Configuration, series: list[Series], parts: list[Part]) -> Float64:
        said = self.replay.run(configuration, series, [p.start for p in parts])
        return gather(said, series, parts, ranked=False).table
