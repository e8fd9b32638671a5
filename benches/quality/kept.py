"""Runs on disk, so that one candidate can be measured again beside the others as they were.

A run is kept beside the scores of slow peers, by its label and by what it ran on, with the commit it was made at.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benches.quality.cache import folder
from benches.quality.run import Outcome, Run
from watchband.evaluation.metrics.events import EventCounts


def path_of(label: str, what: str) -> Path:
    """Where the run of a candidate on the series that ``what`` describes is kept."""
    named = hashlib.blake2b("\n".join([label, what]).encode(), digest_size=10).hexdigest()
    return folder() / "runs" / f"{named}.json"


def keep(run: Run, what: str, commit: str) -> None:
    """Write a run; alert scores are mostly 0, the others are written with their places."""
    alerts = {}
    for name, score in run.alert_scores.items():
        at = np.flatnonzero(score)
        alerts[name] = {"points": len(score), "at": at.tolist(), "score": score[at].tolist()}
    text = json.dumps(
        {
            "label": run.label,
            "what": what,
            "commit": commit,
            "outcomes": [asdict(o) for o in run.outcomes],
            "alert_scores": alerts,
            "seconds": run.seconds,
            "points": run.points,
        }
    )
    path = path_of(run.label, what)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}")
    half.write_text(text)
    half.replace(path)


def kept(label: str, what: str) -> tuple[Run, str] | None:
    """A run and the commit it was made at, None if there is none."""
    path = path_of(label, what)
    if not path.exists():
        return None
    said = json.loads(path.read_text())
    outcomes = []
    for o in said["outcomes"]:
        counts = {int(b): EventCounts(**c) for b, c in o.pop("counts").items()}
        outcomes.append(Outcome(counts=counts, **o))
    alerts = {}
    for name, score in said["alert_scores"].items():
        alerts[name] = np.zeros(score["points"])
        alerts[name][score["at"]] = score["score"]
    return Run(label, outcomes, alerts, said["seconds"], said["points"]), said["commit"]
