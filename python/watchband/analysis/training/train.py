"""Training: fit on the first part, search and choose on the second, then look at the last part once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from watchband.analysis.training.cut import Cut
from watchband.analysis.training.fitting import FittedReplay, Fitter, has_model
from watchband.analysis.training.mistakes import mistakes
from watchband.analysis.training.outcome import Finalist, Role, Trained
from watchband.analysis.training.verdict import RULE, sentences
from watchband.analysis.tuning import baselines
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.evidence import AT, Evidence, test_parts
from watchband.analysis.tuning.intervals import difference, figure, gap, rate
from watchband.analysis.tuning.material import Series, fingerprint_bytes
from watchband.analysis.tuning.objective import (
    Objective,
    delay_hours,
    f1,
    false_rate,
    point_f1,
    precision,
    recall,
    vus_pr,
)
from watchband.analysis.tuning.replay import NAIVE
from watchband.analysis.tuning.search import TRIALS, Attempt, Evaluate, Search
from watchband.analysis.tuning.space import Space
from watchband.analysis.tuning.tune import Bench, check_events
from watchband.core.errors import ConfigError, DataError, MissingExtraError
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval
from watchband.evaluation.metrics.point import Confusion
from watchband.pipeline.rules import Budget, parse_rule


def train(
    series: Sequence[Series],
    cuts: Sequence[Cut],
    fitter: Fitter,
    space: Space,
    objective: Objective,
    *,
    trials: int = TRIALS,
    seed: int = 0,
    storage: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[int, int], None] | None = None,
    injected: bool = False,
) -> Trained:
    """Fit, search, choose, and report once.

    Parameters
    ----------
    series, cuts
        With labels, and where they are cut.
    fitter : Fitter
        Fits what has a model on the first part; its replay is what the user stated.
    space : Space
        Candidates; each is tried with its default parameters first.
    objective : Objective
        What is to be best.
    trials, seed, storage, stop, tell
        See ``tuning.search.Search``.
    injected : bool, default False
        The labels are faults that were put in.

    Raises
    ------
    MissingExtraError
        Optuna is not installed, or what a candidate is fitted by.
    ConfigError
        There is no labelled event to choose by, or none to report on; or no candidate could be tried.
    """
    parts = [cut.parts for cut in cuts]
    check_events(series, parts)
    of_budget = isinstance(parse_rule(space.rule), Budget)
    space = dataclasses.replace(space, budget_is_searched=objective.budget_is_searched and of_budget)
    plain = fitter.replay
    replay = FittedReplay(plain.base, plain.shared, plain.excluded, plain.threads, fit=fitter)
    bench = Bench(series, parts, replay, objective, seed)
    task = b"train" + objective.text.encode() + plain.task + repr((tuple(cuts), fitter.rows_max)).encode()
    seen = [one.before(p.validation.stop) for one, p in zip(series, parts, strict=True)]
    study = Search(space, task + fingerprint_bytes(seen), seed=seed, storage=storage)
    left: dict[str, str] = {}
    attempts = study.run(_forgiving(bench, left), bench.rungs, trials, stop=stop, tell=tell)
    chosen = _finalists(bench, attempts)
    if not chosen:
        told = "; ".join(f"{name}: {why}" for name, why in left.items()) or "none says anything of these series"
        raise ConfigError(f"No candidate can be used: {told.rstrip('.')}. Give others with --candidates.")
    limits = max(baselines.limits(), key=lambda c: np.nan_to_num(bench.value(c, bench.rungs - 1), nan=-np.inf))
    beside = [
        ("static threshold", limits),
        ("rolling z", baselines.rolling(space.rule)),
        ("seasonal naive", baselines.naive(space.rule)),
    ]
    # From here on nothing is chosen any more, and the test part is looked at.
    looks = study.look()
    rows = [_row(bench, fitter, c.detector, "finalist" if number else "champion", c) for number, c in enumerate(chosen)]
    rows += [_row(bench, fitter, label, "baseline", c) for label, c in beside]
    found = _trained(bench, cuts, rows, attempts, study.tried + len(baselines.limits()) + 2, injected, seed, looks)
    return dataclasses.replace(found, notes=[f"left out: {name}: {why.rstrip('.')}" for name, why in left.items()])


def _forgiving(bench: Bench, left: dict[str, str]) -> Evaluate:
    """Of many candidates some cannot be fitted to these data, or not by this installation: ``left`` is told why."""

    def value(configuration: Configuration, rung: int) -> float:
        try:
            return bench.value(configuration, rung)
        except (DataError, MissingExtraError) as error:
            left[configuration.detector] = str(error)
            return math.nan

    return value


def _finalists(bench: Bench, attempts: Sequence[Attempt]) -> list[Configuration]:
    """The best of each detector, from best to worst, by the stated rule and on the validation part alone."""
    found: dict[str, Configuration] = {}
    for attempt in sorted((a for a in attempts if np.isfinite(a.value)), key=lambda a: _rank(bench, a.configuration)):
        found.setdefault(attempt.configuration.detector, attempt.configuration)
    return list(found.values())


def _rank(bench: Bench, configuration: Configuration) -> tuple[float, float, int, str]:
    evidence = bench.validated(configuration)
    value = bench.objective.value(evidence.sums)
    return -round(value, 9), evidence["false"], _bytes(bench, configuration), configuration.key


def _bytes(bench: Bench, configuration: Configuration) -> int:
    """Of the state of a detector with its model, a series."""
    if configuration.detector == NAIVE or configuration.fits:
        return 0
    replay = bench.replay
    fit = replay.fit if isinstance(replay, FittedReplay) else None
    made = configuration if fit is None else fit(configuration)
    return made.build(replay.shared).state_bytes_max


def _row(bench: Bench, fitter: Fitter, label: str, role: Role, configuration: Configuration) -> Finalist:
    before, after = bench.validated(configuration), bench.tested(configuration)
    fitted = None
    if has_model(configuration.detector):
        fitted = fitter.fitted(configuration)
    return Finalist(
        label,
        role,
        configuration,
        figures(before, bench.objective),
        figures(after, bench.objective),
        gap(before.table, after.table, bench.objective.statistic, counts=bench.objective.counts),
        (confusion(before), confusion(after)),
        _bytes(bench, configuration),
        fitted,
    )


def confusion(evidence: Evidence) -> Confusion:
    """Points of a part."""
    return Confusion(*(int(evidence[name]) for name in ("hits", "misses", "wrong", "right")))


def figures(evidence: Evidence, objective: Objective) -> dict[str, Interval]:
    """Everything that is told of a part, with intervals; see ``outcome.FIGURES``."""
    table = evidence.table
    return {
        "objective": figure(table, objective.statistic, counts=objective.counts),
        "f1": figure(table, f1),
        "precision": figure(table, precision),
        "recall": figure(table, recall),
        "alerts": rate(evidence["alerts"], evidence["weeks"]),
        "delay": figure(table, delay_hours),
        "point_f1": figure(table, point_f1, counts=False, always=True),
        "point_precision": figure(table, _share_of("hits", "wrong"), counts=False, always=True),
        "point_recall": figure(table, _share_of("hits", "misses"), counts=False, always=True),
        "fpr": figure(table, false_rate, counts=False, always=True),
        "vus_pr": figure(table, vus_pr, counts=False),
    }


def _share_of(name: str, rest: str) -> Callable[[Float64], Float64]:
    def of(sums: Float64) -> Float64:
        part, whole = sums[:, AT[name]], sums[:, AT[name]] + sums[:, AT[rest]]
        return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0), np.float64)

    return of


def _trained(
    bench: Bench,
    cuts: Sequence[Cut],
    rows: list[Finalist],
    attempts: list[Attempt],
    tried: int,
    injected: bool,
    seed: int,
    looks: int,
) -> Trained:
    champion = rows[0]
    before, after = bench.validated(champion.configuration), bench.tested(champion.configuration)
    against = {
        row.label: difference(after.table, bench.tested(row.configuration).table, bench.objective) for row in rows[1:]
    }
    events = tuple(int(e["found"] + e["missed"]) for e in (before, after))
    said = bench.replay.run(champion.configuration, bench.series, [p.validation.stop for p in bench.parts])
    return Trained(
        objective=bench.objective.words,
        objective_text=bench.objective.text,
        rule=RULE.format(objective=bench.objective.words),
        rows=rows,
        against=against,
        sentences=sentences(rows, against, bench.objective, (events[0], events[1]), looks),
        mistakes=mistakes(said, bench.series, test_parts(bench.parts)),
        attempts=attempts,
        cuts=cuts,
        series=[str(s.key) for s in bench.series],
        events=(events[0], events[1]),
        weeks=(before["weeks"], after["weeks"]),
        tried=tried,
        injected=injected,
        seed=seed,
    )
