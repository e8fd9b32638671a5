"""The tables, for people and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from benches.quality import compare
from benches.quality.data import SOURCES
from benches.quality.figures import VIEWS, Figures, figures, marginals, nab_figures
from benches.quality.judge import Candidate
from benches.quality.run import ONE_IN, Run, evaluate_runs


def evaluate(
    candidates: Mapping[str, Candidate],
    only: Sequence[str] = tuple(SOURCES),
    *,
    fast: bool = False,
    replicas: int = 1,
    seed: int = 0,
    processes: int | None = None,
    against: str | None = None,
    out: TextIO | None = sys.stdout,
) -> dict[str, Any]:
    """Evaluate candidates side by side and print the tables.

    Parameters
    ----------
    candidates : mapping of str to Detector or callable
        By label; a callable maps ``(times, values)`` of one series to one raw score a point, causally.
    only : sequence of str
        Families: ``services``, ``simulated``, ``nab``.
    fast : bool
        Every third series only.
    replicas, seed : int
        Simulated series of each family, and what they are drawn from.
    processes : int, optional
        As many as there are cores by default.
    against : str, optional
        A label that is compared with the best of the others, figure by figure, on the same series.
    out : text stream, optional
        Where tables go; None prints nothing.

    Returns
    -------
    dict
        By label: views with event F1 by budget and so on, ``nab score`` by set of files and profile.
    """
    runs = evaluate_runs(candidates, only, fast=fast, replicas=replicas, seed=seed, processes=processes)
    found = {label: summary(run) for label, run in runs.items()}
    if out:
        out.write(tables(runs, found))
        if against is not None and against in runs:
            out.write(compare.table(compare.standings(runs, against), against))
    return found


def summary(run: Run) -> dict[str, Any]:
    """Every figure of one candidate, by name."""
    views = {view: f for view in VIEWS if (f := figures(run, view))}
    answer: dict[str, Any] = {view: _plain(f) for view, f in views.items()}
    if "simulated" in views:
        answer["by metric"] = marginals(run, ONE_IN[1], 0)
        answer["by fault"] = marginals(run, ONE_IN[1], 1)
    if run.alert_scores:
        answer["nab score"] = nab_figures(run.alert_scores)
    answer["us a point"] = 1e6 * run.seconds / max(run.points, 1)
    return answer


def _plain(f: Figures) -> dict[str, Any]:
    return {
        "series": f.series,
        "f1": {b: tuple(f.f1[b]) for b in ONE_IN},
        "alerts over promise": f.alerts,
        "delay": f.delay,
        "vus_pr": tuple(f.vus_pr),
        "vus_roc": f.vus_roc,
    }


def tables(runs: Mapping[str, Run], found: Mapping[str, Any]) -> str:
    """Markdown of every view, the parts of the simulation and the benchmark's scores."""
    text = ""
    for view in VIEWS:
        if any(view in f for f in found.values()):
            text += _view(view, found)
    for part in ("by metric", "by fault"):
        if any(part in f for f in found.values()):
            text += _parts(part, found)
    if any(run.alert_scores for run in runs.values()):
        text += _nab(found)
    return text


def _view(view: str, found: Mapping[str, Any]) -> str:
    heads = [f"{what} 1/{b:,}" for what in ("F1", "outside / promise", "delay") for b in ONE_IN]
    series = max(f[view]["series"] for f in found.values() if view in f)
    text = f"\n**{view}** ({series} series)\n\n| | " + " | ".join([*heads, "VUS-PR", "VUS-ROC", "µs"]) + " |\n"
    text += "|---" * (len(heads) + 4) + "|\n"
    for label, f in found.items():
        v = f[view]
        cells = ["{:.3f} ({:.2f}–{:.2f})".format(*v["f1"][b]) for b in ONE_IN]
        cells += [f"{v['alerts over promise'][b]:.2f}" for b in ONE_IN] + [f"{v['delay'][b]:.0f}" for b in ONE_IN]
        cells += ["{:.3f} ({:.2f}–{:.2f})".format(*v["vus_pr"]), f"{v['vus_roc']:.3f}", f"{f['us a point']:.1f}"]
        text += f"| {label} | " + " | ".join(cells) + " |\n"
    return text


def _parts(part: str, found: Mapping[str, Any]) -> str:
    names = list(dict.fromkeys(name for f in found.values() for name in f[part]))
    text = f"\n**simulated {part}**, F1 at 1/{ONE_IN[1]:,}\n\n| | " + " | ".join(names) + " |\n"
    text += "|---" * (len(names) + 1) + "|\n"
    for label, f in found.items():
        text += f"| {label} | " + " | ".join(f"{f[part].get(name, float('nan')):.2f}" for name in names) + " |\n"
    return text


def _nab(found: Mapping[str, Any]) -> str:
    halves = list(next(f["nab score"] for f in found.values()))
    text = "\n**Numenta benchmark, official score**: standard / low FP / low FN\n\n| | " + " | ".join(halves) + " |\n"
    text += "|---" * (len(halves) + 1) + "|\n"
    for label, f in found.items():
        cells = [" / ".join(f"{v:.1f}" for v in f["nab score"][half].values()) for half in halves]
        text += f"| {label} | " + " | ".join(cells) + " |\n"
    return text
