"""What becomes of the figures when a constant changes by a quarter: ``python -m benches.quality.stability [--write]``.

Every constant of ``auto`` and ``novelty`` that has a name outside the kernels is made 25 % smaller and larger, one at a
time, on a fixed part of the quality bench: one in so many of the simulated worlds of seed 1000, of the files of Numenta
and of the services, with three metrics each. Only what a change touches is scored again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benches.quality import data, stability_page
from benches.quality.constants import Variant, changed, constants
from benches.quality.data import FAST, Job
from benches.quality.figures import halves, official_rows
from benches.quality.report import rounded
from benches.quality.run import NAB_ONE_IN, ONE_IN, Outcome, outcome_of
from benches.quality.units import VUS, alerts_a_week, event_f1, units
from watchband.core.points import Float64, Points
from watchband.core.scores import HELD, Scores
from watchband.evaluation.judge import Judged, decided
from watchband.evaluation.metrics.bootstrap import interval
from watchband.evaluation.metrics.nab import PROFILES, nab_score
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.ensemble import Ensemble, Member
from watchband.pipeline.ensemble import _input as member_input
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch

NAMES = ("auto", "novelty")
FACTORS = (0.75, 1.25)
SEED = 1000
METRICS = (0, 6, 12)
"""Of a service."""
VIEWS = ("simulated", "metric", "nab")


def jobs(sources: Sequence[str] = tuple(data.SOURCES), fast: int = 2 * FAST) -> list[Job]:
    """The fixed part."""
    found: list[Job] = []
    if "simulated" in sources:
        found += data.simulated(1, SEED)[::fast]
    if "nab" in sources:
        found += data.numenta()[::fast]
    if "services" in sources:
        found += [replace(job, metrics=[job.metrics[k] for k in METRICS]) for job in data.services()[::fast]]
    return found


def variants(name: str) -> list[Variant]:
    """As released first."""
    preset = CATALOGUE.build({"type": name})
    assert isinstance(preset, Ensemble)
    made = (changed(preset, constant, factor) for constant in constants(preset) for factor in FACTORS)
    return [Variant(None, 1.0, preset.members), *(v for v in made if v is not None)]


class Scored:
    """Scores of one series, member by member: what a change does not touch is there already."""

    def __init__(self, points: Points, members: Sequence[Member]) -> None:
        self.points = points
        self.band = members[0].detector.step(members[0].detector.start(), points, threads=1)
        self.further = {m.label: _member(m, points, self.band) for m in members[1:]}

    def of(self, variant: Variant) -> Scores:
        """Scores of the preset with one constant changed."""
        with variant.set():
            first, *others = variant.members
            band, fresh = self.band, first.label in variant.touched
            if fresh:
                band = first.detector.step(first.detector.start(), self.points, threads=1)
            columns = []
            for m in others:
                again = m.label in variant.touched or (fresh and (m.holds or m.reads != "value"))
                columns.append(_member(m, self.points, band) if again else self.further[m.label])
        return Scores.of_columns([*band.outputs(), *columns])


def _member(member: Member, points: Points, band: Scores) -> Float64:
    held = band.flags.astype(np.int64) & HELD != 0
    given = member_input(member, points, band, held)
    return member.detector.step(member.detector.start(), given, threads=1).score


def judged(variant: Variant, points: Points, scores: Scores, one_in: int) -> Judged:
    """As the quality bench judges, with the variant's policy and memory."""
    watch = Watch("quality", variant.preset, Budget(1, one_in), variant.policy)
    return decided(replace(watch.calibrate, half_life=variant.half_life), watch.decide, points, scores)


_TASKS: list[tuple[Job, int]] = []
_VARIANTS: list[Variant] = []
Found = tuple[int, list[Outcome], list[Float64 | None]]


def _one(index: int) -> Found:
    """All variants on one series: an outcome each, and alert scores where the benchmark's score wants them."""
    job, k = _TASKS[index]
    points = Points.of(job.times, job.metrics[k])
    scored = Scored(points, _VARIANTS[0].members)
    outcomes, alerts = [], []
    view = "metric" if job.source == "services" else job.source
    name = f"{job.name}/{METRICS[k]:02}" if view == "metric" else job.name
    for variant in _VARIANTS:
        scores = scored.of(variant)
        both = {one_in: judged(variant, points, scores, one_in) for one_in in ONE_IN}
        outcomes.append(outcome_of(view, name, job, both, index))
        alerts.append(both[NAB_ONE_IN].alert_score if view == "nab" else None)
    return index, outcomes, alerts


def measure(name: str, some: list[Job], processes: int) -> list[dict[str, Any]]:
    """Figures of every variant of a preset, as released first."""
    _VARIANTS[:] = variants(name)
    _TASKS[:] = [(job, k) for job in some for k in range(len(job.metrics))]
    if processes == 1:
        found = [_one(i) for i in range(len(_TASKS))]
    else:
        found = []
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            for done, answer in enumerate(pool.imap_unordered(_one, range(len(_TASKS))), 1):
                found.append(answer)
                if sys.stderr.isatty():
                    sys.stderr.write(f"\r{name}: {done} of {len(_TASKS)} series ")
    found.sort(key=lambda answer: answer[0])
    rows = []
    for i, variant in enumerate(_VARIANTS):
        outcomes = [answer[1][i] for answer in found]
        alerts = {answer[1][i].name: s for answer in found if (s := answer[2][i]) is not None}
        c = variant.constant
        named = {} if c is None else {"part": c.part, "name": c.name, "from": c.value, "to": c.times(variant.factor)}
        rows.append(
            {**named, "factor": variant.factor, "figures": _figures(outcomes, alerts, draws=1000 if not i else 1)}
        )
    return rows


def _figures(outcomes: list[Outcome], alerts: dict[str, Float64], draws: int) -> dict[str, list[float]]:
    """Mean over the families, and by family, each with an interval; the benchmark's score of its files."""
    found: dict[str, list[float]] = {}
    for view in VIEWS:
        some = [o for o in outcomes if o.view == view]
        if not some:
            continue
        columns = {b: units(some, b)[1] for b in ONE_IN}
        for b in ONE_IN:
            found[f"{view} F1 1/{b:,}"] = list(interval(columns[b], event_f1(view), draws=draws))
            found[f"{view} alerts a week 1/{b:,}"] = list(interval(columns[b], alerts_a_week, draws=draws))
        found[f"{view} VUS-PR"] = list(interval(columns[ONE_IN[0]], VUS, draws=draws))
    if len(alerts) > 1:
        files, scores = official_rows(alerts, halves(list(alerts))["whole"])
        found["NAB standard"] = [nab_score(files, scores, PROFILES[0]).score] * 3
    return found


def main(arguments: list[str] | None = None) -> int:
    told = argparse.ArgumentParser(prog="python -m benches.quality.stability", description=__doc__)
    told.add_argument("name", nargs="*", default=list(NAMES), help="presets")
    told.add_argument("--only", default=",".join(data.SOURCES), help="families")
    told.add_argument("--every", type=int, default=2 * FAST, help="one series in so many")
    told.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    told.add_argument("--write", action="store_true", help="keep the record in the docs, with its page and picture")
    told.add_argument("--page", action="store_true", help="renew page and picture from the record that is there")
    given = told.parse_args(arguments)
    if not given.page:
        some = jobs(given.only.split(","), given.every)
        said = rounded({"presets": {name: measure(name, some, given.processes) for name in given.name}})
        if not given.write:
            print(stability_page.everything(said))
            return 0
        counts = {source: sum(len(j.metrics) for j in some if j.source == source) for source in data.SOURCES}
        stability_page.write(said, sys.argv[1:] if arguments is None else arguments, counts)
    stability_page.renew()
    return 0


if __name__ == "__main__":
    sys.exit(main())
