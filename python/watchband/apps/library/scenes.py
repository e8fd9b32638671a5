"""Scenes played and told: verdicts as plain data, and the picture of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from watchband.apps.library.view import SeriesView
from watchband.core.duration import DAY
from watchband.evaluation.scenarios.scene import Course, Scene, Verdict, judge, perform

AROUND = DAY + DAY // 2
"""What a picture shows before the first and after the last thing that happens."""

Tell = Callable[[str, int, int], None]


def cast(scene: Scene, detectors: Sequence[str]) -> list[str]:
    """The detectors a scene is played against: those asked for, else those that promise it."""
    return list(detectors) or list(scene.detectors)


def verdicts(
    scenes: Sequence[Scene], detectors: Sequence[str], seeds: Sequence[int], tell: Tell | None = None
) -> Iterator[Verdict]:
    """Judge every scene against every detector, telling of progress."""
    parts = [(scene, name) for scene in scenes for name in cast(scene, detectors)]
    for number, (scene, name) in enumerate(parts):
        if tell:
            tell(f"{scene.name} {name}", number, len(parts))
        yield judge(scene, name, seeds)


def to_document(scenes: Sequence[Scene], found: Sequence[Verdict]) -> dict[str, Any]:
    """Everything as plain data: each scene with its promise, its complaint and its verdicts."""
    return {
        "held": all(verdict.held for verdict in found),
        "scenes": [
            {
                "name": scene.name,
                "promise": scene.promise,
                "complaint": scene.complaint,
                "sources": list(scene.sources),
                "promised_by": list(scene.detectors),
                "verdicts": [verdict.to_dict() for verdict in found if verdict.scene == scene.name],
            }
            for scene in scenes
        ],
    }


def view_of(course: Course) -> SeriesView:
    """The first series of a course around what happens in it, as it is drawn."""
    results, happenings = course.results, course.play.happenings
    here = results.row == 0
    if happenings:
        start = min(h.start for h in happenings) - AROUND
        end = max(h.end for h in happenings) + AROUND
        here &= (results.time >= start) & (results.time < end)
    key = course.play.keys[0]
    first, last = (int(results.time[here][0]), int(results.time[here][-1])) if here.any() else (0, 0)
    columns = ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "imputed")
    alerts = [a for a in course.alerts if a.series == key and a.opened <= last and (a.closed or last) >= first]
    return SeriesView(
        key, "", results.time[here], **{k: np.asarray(getattr(results, k))[here] for k in columns}, alerts=alerts
    )


def write_picture(scene: Scene, detector: str, seed: int, path: str | Path) -> Path:
    """Draw what happens in a scene, with the band and the alerts, as a PNG file."""
    from watchband.apps.library.plot import write_plot

    course = perform(scene.play(seed), detector)
    return write_plot(view_of(course), path, timezone=course.play.zone, title=f"{scene.name}, {detector}")
