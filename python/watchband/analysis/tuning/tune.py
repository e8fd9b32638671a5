"""Tuning to an objective: searched on one part of the past, reported on a later one, called better only where it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from watchband.analysis.tuning import baselines
from watchband.analysis.tuning.checks import rule_of_35_rows, why_few_prove_nothing
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.decide import decide
from watchband.analysis.tuning.evidence import Evidence, gather, test_parts, validation_parts
from watchband.analysis.tuning.intervals import difference, figure, gap, rate
from watchband.analysis.tuning.material import Part, Parts, Series, fingerprint_bytes, labels_in
from watchband.analysis.tuning.objective import (
    Objective,
    delay_hours,
    f1,
    false_rate,
    precision,
    recall,
    vus_pr,
)
from watchband.analysis.tuning.replay import Replay
from watchband.analysis.tuning.result import Role, Row, Step, Tuned
from watchband.analysis.tuning.search import TRIALS, Attempt, Search, best, incumbents
from watchband.analysis.tuning.space import Space
from watchband.core.errors import ConfigError
from watchband.evaluation.labels import windows
from watchband.evaluation.metrics.bootstrap import Interval
from watchband.pipeline.rules import Budget, parse_rule

RUNGS_FROM = 4
"""Fewer series are one rung: there is nothing to prune over."""


@dataclass(eq=False)
class Bench:
    """Judges configurations on the two parts of some series, each configuration once.

    Parameters
    ----------
    series : sequence of Series
        Whole, with labels.
    parts : sequence of Parts
        Of each.
    replay : Replay
        What runs configurations.
    objective : Objective
        What is to be best.
    seed : int, default 0
        Of the order in which series are tried.
    """

    series: Sequence[Series]
    parts: Sequence[Parts]
    replay: Replay
    objective: Objective
    seed: int = 0
    _seen: list[Series] = field(init=False, repr=False)
    _rungs: list[list[int]] = field(init=False, repr=False)
    _validated: dict[tuple[str, int], Evidence] = field(default_factory=dict, repr=False)
    _tested: dict[str, Evidence] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        # The search holds nothing of what comes after: not a reading, not a label.
        self._seen = [one.before(p.validation.stop) for one, p in zip(self.series, self.parts, strict=True)]
        order = np.random.default_rng(self.seed).permutation(len(self.series)).tolist()
        ends = [len(order) // 4, len(order) // 2, len(order)] if len(order) >= RUNGS_FROM else [len(order)]
        starts = [0, *ends[:-1]]
        self._rungs = [order[a:b] for a, b in zip(starts, ends, strict=True)]

    @property
    def rungs(self) -> int:
        """How many times a trial may be given up, and one."""
        return len(self._rungs)

    def value(self, configuration: Configuration, rung: int) -> float:
        """The objective on the validation part of the series up to a rung."""
        sums = np.sum([self._rung(configuration, r).sums for r in range(rung + 1)], axis=0)
        return self.objective.value(sums)

    def validated(self, configuration: Configuration) -> Evidence:
        """Evidence of the validation part of all series."""
        found = [self._rung(configuration, r) for r in range(self.rungs)]
        return Evidence(np.concatenate([e.table for e in found]), float(np.mean([e.banded for e in found])))

    def tested(self, configuration: Configuration) -> Evidence:
        """Evidence of the test part of all series; never called while anything is searched."""
        key = configuration.key
        if key not in self._tested:
            stops = [p.validation.stop for p in self.parts]
            said = self.replay.run(configuration, self.series, stops)
            self._tested[key] = gather(said, self.series, test_parts(self.parts))
        return self._tested[key]

    def _rung(self, configuration: Configuration, rung: int) -> Evidence:
        key = configuration.key, rung
        if key not in self._validated:
            here = self._rungs[rung]
            some = [self._seen[i] for i in here]
            parts = [validation_parts(self.parts)[i] for i in here]
            said = self.replay.run(configuration, some, [p.start for p in parts])
            share = max(1, round(24 * len(here) / len(self.series)))
            self._validated[key] = gather(said, some, parts, stretches=share)
        return self._validated[key]


def tune(
    series: Sequence[Series],
    parts: Sequence[Parts],
    replay: Replay,
    space: Space,
    objective: Objective,
    *,
    trials: int = TRIALS,
    seed: int = 0,
    storage: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[int, int], None] | None = None,
    injected: bool = False,
) -> Tuned:
    """Search on the validation part, then report on the test part.

    Parameters
    ----------
    series, parts
        With labels, and where they are cut.
    replay : Replay
        What the user stated.
    space : Space
        Where is searched; its first detector's default is what is to be beaten. The alerts of a budget are searched
        where the objective weighs them.
    objective : Objective
        What is to be best.
    trials, seed, storage, stop, tell
        See ``search.Search``.
    injected : bool, default False
        The labels are faults that were put in.

    Raises
    ------
    MissingExtraError
        Optuna is not installed.
    ConfigError
        There is no labelled event to search with, or none to report on.
    """
    check_events(series, parts)
    of_budget = isinstance(parse_rule(space.rule), Budget)
    space = dataclasses.replace(space, budget_is_searched=objective.budget_is_searched and of_budget)
    bench = Bench(series, parts, replay, objective, seed)
    default = space.default(space.detectors[0])
    task = objective.text.encode() + replay.task + repr(tuple(parts)).encode()
    study = Search(
        space,
        task + fingerprint_bytes([s.before(p.validation.stop) for s, p in zip(series, parts, strict=True)]),
        seed=seed,
        storage=storage,
    )
    attempts = study.run(bench.value, bench.rungs, trials, stop=stop, tell=tell)
    limits = baselines.limits()
    ends = max(limits, key=lambda c: np.nan_to_num(bench.value(c, bench.rungs - 1), nan=-np.inf))
    found = best(attempts)
    rows = [_row(bench, "as it is", "default", default, None)]
    if found and found.configuration != default:
        rows.append(_row(bench, "best found", "found", found.configuration, default))
    rows += [
        _row(bench, "static threshold", "baseline", ends, default),
        _row(bench, "rolling z", "baseline", baselines.rolling(space.rule), default),
        _row(bench, "seasonal naive", "baseline", baselines.naive(space.rule), default),
    ]
    tuned = _tuned(bench, space, rows, attempts, study.tried + len(limits) + 2, injected, seed)
    return dataclasses.replace(tuned, sentences=[*tuned.sentences, *_looks(study.look())])


def _looks(count: int) -> list[str]:
    if count < 2:
        return []
    return [
        f"The held-out parts of this storage have been looked at {count} times. Who goes on until it says better has "
        "searched on them: trust a first look, or keep a later part back."
    ]


def check_events(series: Sequence[Series], parts: Sequence[Parts]) -> None:
    """By labels and times alone: nothing is judged on the held-out part before the search has ended.

    Raises
    ------
    ConfigError
        A part has no labelled event in it.
    """
    for name, chosen in (("validation", validation_parts(parts)), ("test", test_parts(parts))):
        pairs = zip(series, chosen, strict=True)
        if not any(len(windows(labels_in(one.labels, part), one.times)) for one, part in pairs):
            raise ConfigError(
                f"No labelled event lies wholly within the {name} part, so there is nothing to tune to. Give labels "
                "that reach over more of the time, other shares of it, or tune without labels: to an alert budget, or "
                "to injected faults."
            )


def _row(bench: Bench, label: str, role: Role, configuration: Configuration, default: Configuration | None) -> Row:
    before, after = bench.validated(configuration), bench.tested(configuration)
    against = None
    if default is not None:
        against = difference(after.table, bench.tested(default).table, bench.objective)
    return Row(
        label,
        role,
        configuration,
        _figures(before, bench.objective),
        _figures(after, bench.objective),
        against,
        after.banded,
    )


def _figures(evidence: Evidence, objective: Objective) -> dict[str, Interval]:
    table = evidence.table
    return {
        "objective": figure(table, objective.statistic, counts=objective.counts),
        "f1": figure(table, f1),
        "precision": figure(table, precision),
        "recall": figure(table, recall),
        "alerts": rate(evidence["alerts"], evidence["weeks"]),
        "delay": figure(table, delay_hours),
        "fpr": figure(table, false_rate),
        "vus_pr": figure(table, vus_pr, counts=False),
    }


def _tuned(
    bench: Bench,
    space: Space,
    rows: list[Row],
    attempts: list[Attempt],
    tried: int,
    injected: bool,
    seed: int,
) -> Tuned:
    found = next((r for r in rows if r.role == "found"), None)
    judged = found or rows[0]
    before, after = bench.validated(judged.configuration), bench.tested(judged.configuration)
    between = gap(before.table, after.table, bench.objective.statistic, counts=bench.objective.counts)
    f1_gap = gap(before.table, after.table, f1)
    events = tuple(int(e["found"] + e["missed"]) for e in (before, after))
    decision, sentences = decide(rows, between, bench.objective, events[1])
    return Tuned(
        objective=bench.objective.words,
        objective_text=bench.objective.text,
        rule=space.rule,
        rows=rows,
        decision=decision,
        sentences=sentences,
        chosen=found.configuration if found and decision == "better" else rows[0].configuration,
        gap=between,
        attempts=attempts,
        curve=[
            Step(a.number, a.value, bench.objective.value(bench.tested(a.configuration).sums))
            for a in incumbents(attempts)
        ],
        tried=tried,
        parts=bench.parts,
        series=[str(s.key) for s in bench.series],
        events=(events[0], events[1]),
        weeks=(before["weeks"], after["weeks"]),
        checks=rule_of_35_rows(judged.test, f1_gap, judged.banded),
        injected=injected,
        seed=seed,
        notes=[why_few_prove_nothing()],
    )


def whole(parts: Sequence[Parts]) -> Part:
    """From the first validation to the last test."""
    return Part(min(p.validation.start for p in parts), max(p.test.stop for p in parts))
