"""Fitting: from rows to a labeller, with the evidence for it. Two passes over the rows, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from watchband.analysis.risk.baseline import (
    Usual,
    busiest,
    ordinary_groups,
    usual_of_entities,
    usual_of_groups,
)
from watchband.analysis.risk.grouping import METHODS, Groups, group
from watchband.analysis.risk.labeller import Labeller
from watchband.analysis.risk.naming import Risk, fit_load, name_groups
from watchband.analysis.risk.needs import one_thread
from watchband.analysis.risk.outlook import BINS, STATES, Skill, Tally, bin_of, skill_of
from watchband.analysis.risk.profile import Census, profile_of
from watchband.analysis.risk.rows import Rows, cleaned
from watchband.analysis.risk.sampling import SAMPLE, Sample, own_size
from watchband.analysis.risk.scaling import fit_scale
from watchband.core.errors import ConfigError, DataError, InvalidParameterError
from watchband.core.points import Float64
from watchband.features.load import LoadFeature

ROWS_MIN = 100
"""Fewer say nothing about states, least of all about rare ones."""
LATER = 0.2
"""The last part of the time, on which the outlook is judged."""

Chunks = Callable[[], Iterator[Rows]]
"""Gives all rows from the beginning, as often as it is asked; each entity's in order of time."""


@dataclass(frozen=True)
class Settings:
    """How a model is fitted.

    Parameters
    ----------
    method : str, default "kmeans"
        One of ``METHODS``.
    k : int, optional
        Groups; the lowest Davies-Bouldin index of 4 to 10 if none.
    deviation : float, default 6
        Spreads from which a row is far out.
    rare : float, default 0.05
        A group beyond all others is Critical if it holds a smaller share of the rows than this.
    horizon : int, default 12
        Steps of the outlook.
    sample : int, default 20,000
        Rows that groups are found in.
    seed : int, default 0
        Equal seeds, equal models.
    """

    method: str = "kmeans"
    k: int | None = None
    deviation: float = 6.0
    rare: float = 0.05
    horizon: int = 12
    sample: int = SAMPLE
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InvalidParameterError(f"The method is one of {', '.join(METHODS)}. Got {self.method!r}.")
        for name, least in (("horizon", 1), ("sample", ROWS_MIN)):
            if getattr(self, name) < least:
                raise InvalidParameterError(f"{name!r} is at least {least}. Got {getattr(self, name)}.")
        if self.k is not None and not 2 <= self.k <= 50:
            raise InvalidParameterError(f"There are 2 to 50 groups. Got {self.k}.")
        if not self.deviation > 0 or not 0 <= self.rare < 1:
            raise InvalidParameterError(
                f"'deviation' is above 0 and 'rare' from 0 to below 1. Got {self.deviation} and {self.rare}."
            )


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model and what speaks for it.

    Parameters
    ----------
    labeller : Labeller
        What is kept.
    groups : Groups
        What the methods found in the sample.
    sample : Rows
        The rows that they were found in.
    skill : Skill
        Of the outlook, on the last fifth of the time.
    notes : list of str
        What was left out.
    """

    labeller: Labeller
    groups: Groups
    sample: Rows
    skill: Skill
    notes: list[str]


def fit(
    chunks: Chunks,
    features: Sequence[LoadFeature],
    entities: Sequence[str],
    step: int,
    settings: Settings | None = None,
) -> Fitted:
    """Find states in rows.

    Parameters
    ----------
    chunks : callable
        Gives the rows; asked twice.
    features : sequence of LoadFeature
        Of the columns.
    entities : sequence of str
        Names, by the rows' numbers.
    step : int
        ns between rows of one entity.
    settings : Settings, optional

    Raises
    ------
    DataError
        Too few rows, a metric that is missing throughout, nothing that varies.
    MissingExtraError
        scikit-learn is not installed.
    """
    settings = settings or Settings()
    if len({f.name for f in features}) < len(features):
        raise ConfigError(f"Every feature is named once. Got {', '.join(f.name for f in features)}.")
    sample, own, span = _gathered(chunks, features, len(entities), settings)
    scale, varying = fit_scale(sample.values, [f.name for f in features])
    notes = [f"{f.name} is constant and left out" for n, f in enumerate(features) if n not in varying]
    used = tuple(features[f] for f in varying)
    narrow = _narrowed(chunks, varying)
    sample, own = _columns(sample, varying), _columns(own, varying)
    whole = sample.take(np.flatnonzero(~np.isnan(sample.values).any(axis=1)))
    if len(whole) < ROWS_MIN:
        raise DataError(
            f"Only {len(whole)} rows have all of {', '.join(f.name for f in used)}; it takes {ROWS_MIN}. Leave out "
            "what is often missing, naming with --feature what to use."
        )
    points = scale(whole.values)
    load = fit_load(whole.values, used)
    with one_thread():
        groups = group(points, load(whole.values), settings.method, settings.k, settings.seed)
    labeller = _labeller(groups, whole, points, own, list(entities), used, step, settings)
    census, skill, table = _second_pass(labeller, narrow, list(entities), span, settings)
    labeller = replace(labeller, outlook=table)
    profile = profile_of(labeller, groups, points, census, span, skill, settings)
    return Fitted(replace(labeller, profile=profile), groups, whole, skill, notes)


def _gathered(
    chunks: Chunks, features: Sequence[LoadFeature], entities: int, settings: Settings
) -> tuple[Rows, Rows, tuple[int, int]]:
    """The first pass: a sample of all rows, one of each entity, and the first and the last time."""
    low, high = np.array([f.low for f in features]), np.array([f.high for f in features])
    sample = Sample(settings.sample, seed=settings.seed)
    own = Sample(own_size(entities), each=True, seed=settings.seed)
    count, first, last = 0, np.iinfo(np.int64).max, np.iinfo(np.int64).min
    for rows in chunks():
        if not len(rows):
            continue
        clean = Rows(rows.entity, rows.times, cleaned(rows.values, low, high))
        sample.add(clean)
        own.add(clean)
        count += len(rows)
        first, last = min(first, int(rows.times.min())), max(last, int(rows.times.max()))
    if count < ROWS_MIN:
        raise DataError(
            f"There are {count} rows of all metrics together; it takes {ROWS_MIN} to tell states apart, and some days "
            "to tell what is usual. Give more data, or a smaller --step if readings are nearer to each other."
        )
    return sample.rows(), own.rows(), (first, last)


def _narrowed(chunks: Chunks, varying: list[int]) -> Chunks:
    def narrow() -> Iterator[Rows]:
        for rows in chunks():
            yield _columns(rows, varying)

    return narrow


def _columns(rows: Rows, which: list[int]) -> Rows:
    return Rows(rows.entity, rows.times, np.ascontiguousarray(rows.values[:, which]))


def _labeller(
    groups: Groups,
    whole: Rows,
    points: Float64,
    own: Rows,
    entities: list[str],
    features: tuple[LoadFeature, ...],
    step: int,
    settings: Settings,
) -> Labeller:
    scale, _ = fit_scale(whole.values, [f.name for f in features])
    load = fit_load(whole.values, features)
    k = len(groups.centres)
    found = usual_of_groups(whole.values, groups.labels, k, scale.spread)
    share = np.bincount(groups.labels, minlength=k) / len(whole)
    rises = np.array([np.nan if f.role == "other" else 1.0 for f in features])
    rises = np.ones(len(features)) if np.isnan(rises).all() else rises
    ordinary = ordinary_groups(found, share, rises, settings.deviation, settings.rare)
    states = name_groups(load(found.middle), ordinary)
    usual = usual_of_entities(own, len(entities), scale.spread)
    seen = np.flatnonzero(~np.isnan(usual.middle).all(axis=1))
    distance = np.sqrt(((points - groups.centres[groups.labels]) ** 2).sum(axis=1))
    reach = 1.2 * float(np.quantile(distance, 0.999))
    return Labeller(
        features, step, scale, groups.centres, states, found, busiest(found, ordinary), load,
        tuple(entities[int(e)] for e in seen), Usual(usual.middle[seen], usual.spread[seen]), reach,
        settings.deviation, settings.horizon, np.zeros(STATES * BINS),
    )  # fmt: skip


def _second_pass(
    labeller: Labeller, chunks: Chunks, entities: list[str], span: tuple[int, int], settings: Settings
) -> tuple[Census, Skill, Any]:
    """Label every row: what each entity's time was spent on, and what followed what."""
    known = labeller.known(entities)
    census = Census(len(entities), labeller.scale)
    split = span[0] + int((1 - LATER) * (span[1] - span[0]))
    gap = settings.horizon * labeller.step
    learned, later, all_of_it = (Tally(settings.horizon) for _ in range(3))
    for rows in chunks():
        if not len(rows):
            continue
        labels = labeller.label(rows, known)
        census.add(rows, labels)
        cell, critical = bin_of(labels.state, labels.excess), labels.state == Risk.CRITICAL
        all_of_it.add(rows.entity, cell, critical)
        # Between the parts lies a horizon, so that no row of the first looks into the second.
        for part, here in ((learned, rows.times < split - gap), (later, rows.times >= split)):
            part.add(rows.entity[here], cell[here], critical[here])
    return census, skill_of(learned, later), all_of_it.table()
