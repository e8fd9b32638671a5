"""Runs candidates over the families of series and gathers what each series contributes to the figures."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benches.quality import data
from benches.quality.data import FAST, SOURCES, Job
from benches.quality.judge import Candidate, Judged, judge, judge_raw, largest, score, score_key
from watchband.core.points import Float64, Int64
from watchband.core.scores import Scores
from watchband.evaluation.metrics.events import EventCounts, count_events
from watchband.evaluation.metrics.nab import probation
from watchband.evaluation.metrics.ranking import vus

ONE_IN = (1440, 10_000)
"""The promised budgets: one alert in so many points."""
NAB_ONE_IN = ONE_IN[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one series, or one service as a whole, contributes.

    Parameters
    ----------
    view : str
        ``nab``, ``simulated``, ``metric`` (each metric of a service alone), ``service max`` or ``service top 3``.
    name : str
        Of the series; a simulated one is called by its family.
    counts : dict of int to EventCounts
        By budget.
    vus_pr, vus_roc : float
        Of the anomaly score; NaN without events.
    """

    view: str
    name: str
    counts: dict[int, EventCounts]
    vus_pr: float
    vus_roc: float


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Everything about one candidate. ``alert_scores``: by file of the Numenta benchmark, one a distinct time."""

    label: str
    outcomes: list[Outcome] = field(default_factory=list)
    alert_scores: dict[str, Float64] = field(default_factory=dict)
    seconds: float = 0.0
    points: int = 0


def evaluate_runs(
    candidates: Mapping[str, Candidate],
    only: Sequence[str] = tuple(SOURCES),
    *,
    fast: bool = False,
    replicas: int = 1,
    seed: int = 0,
    processes: int | None = None,
) -> dict[str, Run]:
    """Run every candidate over the families; see ``evaluate``."""
    jobs: list[Job] = []
    for source in SOURCES:
        if source in only:
            made = data.simulated(replicas, seed) if source == "simulated" else SOURCES[source]()
            jobs += made[:: FAST if fast else 1]
    runs = {label: Run(label) for label in candidates}
    # The tasks reach the other processes by forking, so that a candidate may be any callable.
    alike: dict[object, dict[str, Candidate]] = {}
    for label, candidate in candidates.items():
        alike.setdefault(score_key(candidate), {})[label] = candidate
    _TASKS[:] = [(group, job) for job in jobs for group in alike.values()]
    count = processes or len(os.sched_getaffinity(0))
    spent: dict[str, list[float]] = {label: [0.0, 0.0] for label in candidates}
    if count == 1:
        found = [answer for i in range(len(_TASKS)) for answer in _one(i)]
    else:
        with multiprocessing.get_context("fork").Pool(count) as pool:
            found = []
            for done, answers in enumerate(pool.imap_unordered(_one, range(len(_TASKS))), 1):
                found += answers
                if sys.stderr.isatty():
                    sys.stderr.write(f"\r{done} of {len(_TASKS)} ")
    for label, outcomes, name, alert_score, seconds, points in sorted(found, key=lambda f: (f[0], f[2])):
        runs[label].outcomes.extend(outcomes)
        if alert_score is not None:
            runs[label].alert_scores[name] = alert_score
        spent[label][0] += seconds
        spent[label][1] += points
    return {
        label: Run(label, run.outcomes, run.alert_scores, spent[label][0], int(spent[label][1]))
        for label, run in runs.items()
    }


_TASKS: list[tuple[dict[str, Candidate], Job]] = []
Answer = tuple[str, list[Outcome], str, Float64 | None, float, int]


def _one(index: int) -> list[Answer]:
    """All candidates of a group on one job: their scores are the same, what is made of them is not."""
    group, job = _TASKS[index]
    begin = time.process_time()
    said = [score(next(iter(group.values())), job.times, values) for values in job.metrics]
    spent = time.process_time() - begin
    return [_answer(label, candidate, job, said, spent) for label, candidate in group.items()]


def _answer(label: str, candidate: Candidate, job: Job, said: list[Scores], spent: float) -> Answer:
    judged = {
        one_in: [
            judge(candidate, job.times, values, scores, one_in)
            for values, scores in zip(job.metrics, said, strict=True)
        ]
        for one_in in ONE_IN
    }
    view = "metric" if job.source == "services" else job.source
    outcomes = [
        _outcome(view, f"{job.name}/{i:02}" if view == "metric" else job.name, job, {b: judged[b][i] for b in ONE_IN})
        for i in range(len(job.metrics))
    ]
    if job.source == "services":
        outcomes += [_together(job, judged, count, view) for view, count in (("service max", 1), ("service top 3", 3))]
    alert_score = judged[NAB_ONE_IN][0].alert_score if job.source == "nab" else None
    return label, outcomes, job.name, alert_score, spent, len(job.times) * len(job.metrics)


def _together(job: Job, judged: dict[int, list[Judged]], count: int, view: str) -> Outcome:
    """The service as a whole: the aggregated anomaly score is calibrated once more, as a score of its own."""
    together = {
        one_in: judge_raw(job.times, largest([j.anomaly_score for j in judged[one_in]], count), one_in)
        for one_in in ONE_IN
    }
    return _outcome(view, job.name, job, together)


def _outcome(view: str, name: str, job: Job, judged: dict[int, Judged]) -> Outcome:
    n = len(job.times)
    start = probation(n)
    counts = {one_in: count_events(j.opened, job.windows, n, start=start) for one_in, j in judged.items()}
    later: Int64 = job.windows[job.windows[:, 0] >= start][:, :2] - start
    # The larger budget's scores: a limit never cuts them off below.
    volume = vus(judged[ONE_IN[0]].anomaly_score[start:], later)
    return Outcome(view, name, counts, volume.pr, volume.roc)


def series_columns(outcomes: list[Outcome], one_in: int) -> Float64:
    """float64[series, 6]: found, missed, false, delay, points, 1."""
    rows = [o.counts[one_in] for o in outcomes]
    return np.array([(c.found, c.missed, c.false, c.delay, c.points, 1) for c in rows], float).reshape(-1, 6)
