"""Runs candidates over the families of series and gathers what each series contributes to the figures."""

from __future__ import annotations

import math
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benches.quality import data
from benches.quality.data import FAST, SOURCES, Job
from benches.quality.joined import Joined
from benches.quality.judge import Candidate, Judged, judge, judge_raw, largest, score, score_key, with_memory
from benches.quality.peers import SLOW
from benches.quality.peers.peer import Peer
from watchband.core.points import Float64, Int64
from watchband.core.scores import Scores
from watchband.evaluation.metrics.events import EventCounts, count_events
from watchband.evaluation.metrics.nab import probation
from watchband.evaluation.metrics.ranking import vus

ONE_IN = (1440, 10_000)
"""The promised budgets: one alert in so many points."""
NAB_ONE_IN = ONE_IN[0]
WEEK = 2016
"""Points of a week at five minutes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one series, or one service as a whole, contributes.

    Parameters
    ----------
    view : str
        ``nab``, ``simulated``, ``metric`` (each metric of a service alone), ``service max``, ``service top 3`` or
        ``service joined``.
    name : str
        Of the series; a simulated one is called by its family.
    counts : dict of int to EventCounts
        By budget.
    vus_pr, vus_roc : float
        Of the anomaly score; NaN without events.
    vus_memory : float
        VUS-PR of the score that ranks by the last points as well; see ``with_memory``.
    place : int
        Of the series within its family: candidates that are too slow for all run on every third.
    """

    view: str
    name: str
    counts: dict[int, EventCounts]
    vus_pr: float
    vus_roc: float
    place: int = 0
    vus_memory: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Everything about one candidate. ``alert_scores``: by file of the Numenta benchmark, one a distinct time."""

    label: str
    outcomes: list[Outcome] = field(default_factory=list)
    alert_scores: dict[str, Float64] = field(default_factory=dict)
    seconds: float = 0.0
    points: int = 0


def evaluate_runs(
    candidates: Mapping[str, Candidate | Joined],
    only: Sequence[str] = tuple(SOURCES),
    *,
    fast: bool = False,
    replicas: int = 1,
    seed: int = 0,
    processes: int | None = None,
    thin: Sequence[str] = (),
) -> dict[str, Run]:
    """Run every candidate over the families; see ``evaluate``. ``thin``: families of which every third series runs."""
    # The tasks reach the other processes by forking, so that a candidate may be any callable.
    alike: dict[object, dict[str, Candidate | Joined]] = {}
    for label, candidate in candidates.items():
        key = label if isinstance(candidate, Joined) else score_key(candidate)
        alike.setdefault(key, {})[label] = candidate
    _TASKS.clear()
    for source in SOURCES:
        if source in only:
            made = data.simulated(replicas, seed) if source == "simulated" else SOURCES[source]()
            for place, job in enumerate(made):
                if place % FAST == 0 or not (fast or source in thin):
                    _TASKS.extend((group, job, place) for group in alike.values() if _takes(group, job, place))
    spent: dict[str, list[float]] = {label: [0.0, 0.0] for label in candidates}
    runs = {label: Run(label) for label in candidates}
    for answer in sorted(_answers(processes or len(os.sched_getaffinity(0))), key=lambda a: (a.label, a.task)):
        runs[answer.label].outcomes.extend(answer.outcomes)
        if answer.alert_score is not None:
            runs[answer.label].alert_scores[answer.name] = answer.alert_score
        spent[answer.label][0] += answer.seconds
        spent[answer.label][1] += answer.points
    return {
        label: Run(label, run.outcomes, run.alert_scores, spent[label][0], int(spent[label][1]))
        for label, run in runs.items()
    }


_TASKS: list[tuple[dict[str, Candidate | Joined], Job, int]] = []


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one candidate says of one job. ``task``: its number, which fixes the order of the outcomes."""

    task: int
    label: str
    name: str
    outcomes: list[Outcome]
    alert_score: Float64 | None
    seconds: float
    points: int


def _takes(group: Mapping[str, Candidate | Joined], job: Job, place: int) -> bool:
    label, candidate = next(iter(group.items()))
    if isinstance(candidate, Joined) and job.source != "services":
        return False
    thirds, never = (candidate.thirds, candidate.never) if isinstance(candidate, Peer) else SLOW.get(label, ((), ()))
    return job.source not in never and (place % FAST == 0 or job.source not in thirds)


def _answers(count: int) -> list[Answer]:
    """All tasks, in no order."""
    if count == 1:
        return [answer for i in range(len(_TASKS)) for answer in _one(i)]
    found = []
    with multiprocessing.get_context("fork").Pool(count) as pool:
        for done, answers in enumerate(pool.imap_unordered(_one, range(len(_TASKS))), 1):
            found += answers
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{done} of {len(_TASKS)} ")
    return found


def _one(index: int) -> list[Answer]:
    """All candidates of a group on one job: their scores are the same, what is made of them is not."""
    group, job, place = _TASKS[index]
    begin = time.process_time()
    first = next(iter(group.values()))
    if isinstance(first, Joined):
        raw = first.score(job.times, job.metrics)
        spent = time.process_time() - begin
        judged = {one_in: judge_raw(job.times, raw, one_in) for one_in in ONE_IN}
        outcome = outcome_of("service joined", job.name, job, judged, place)
        return [Answer(index, label, job.name, [outcome], None, spent, len(job.times)) for label in group]
    said = [score(first, job.times, values) for values in job.metrics]
    spent = time.process_time() - begin
    points = len(job.times) * len(job.metrics)
    return [
        Answer(index, label, job.name, *_answer(candidate, job, said, place), spent, points)
        for label, candidate in group.items()
        if not isinstance(candidate, Joined)
    ]


def _answer(candidate: Candidate, job: Job, said: list[Scores], place: int) -> tuple[list[Outcome], Float64 | None]:
    judged = {
        one_in: [
            judge(candidate, job.times, values, scores, one_in)
            for values, scores in zip(job.metrics, said, strict=True)
        ]
        for one_in in ONE_IN
    }
    view = "metric" if job.source == "services" else job.source
    names = [f"{job.name}/{i:02}" if view == "metric" else job.name for i in range(len(job.metrics))]
    outcomes = [outcome_of(view, name, job, {b: judged[b][i] for b in ONE_IN}, place) for i, name in enumerate(names)]
    if job.source == "services":
        for view, count in (("service max", 1), ("service top 3", 3)):
            outcomes.append(outcome_of(view, job.name, job, _together(job, judged, count), place))
    return outcomes, judged[NAB_ONE_IN][0].alert_score if job.source == "nab" else None


def _together(job: Job, judged: dict[int, list[Judged]], count: int) -> dict[int, Judged]:
    """The service as a whole: the aggregated anomaly score is calibrated once more, as a score of its own."""
    return {
        one_in: judge_raw(job.times, largest([j.anomaly_score for j in judged[one_in]], count), one_in)
        for one_in in ONE_IN
    }


def outcome_of(view: str, name: str, job: Job, judged: dict[int, Judged], place: int) -> Outcome:
    """What a judged series contributes; its start counts nowhere."""
    n = len(job.times)
    start = probation(n)
    counts = {one_in: count_events(j.opened, job.windows, n, start=start) for one_in, j in judged.items()}
    later: Int64 = job.windows[job.windows[:, 0] >= start][:, :2] - start
    # The larger budget's scores: a limit never cuts them off below.
    volume = vus(judged[ONE_IN[0]].anomaly_score[start:], later)
    remembered = vus(with_memory(judged[ONE_IN[0]].anomaly_score, ONE_IN[0])[start:], later)
    return Outcome(view, name, counts, volume.pr, volume.roc, place, remembered.pr)
