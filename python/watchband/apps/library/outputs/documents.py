"""``summary.json``, ``alerts.json`` and the document of ``--json``: what is known of a run, as plain data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.apps.library.moments import iso
from watchband.core.alert import Alert

if TYPE_CHECKING:
    from watchband.apps.library.detection import Findings

FORMAT = 1
"""Raised when a field changes its meaning or goes away; new fields do not raise it."""

_TIMES = ("opened", "decided", "closed", "peak_time")


def alert_document(alert: Alert) -> dict[str, Any]:
    """An alert as plain data: times in ISO 8601 UTC, None where not known."""
    data = alert.to_dict()
    for name in _TIMES:
        data[name] = None if data[name] is None else iso(data[name])
    return data | {"metric": alert.series.metric, "labels": dict(alert.series.labels)}


def summary_document(findings: Findings) -> dict[str, Any]:
    """Counts, span, settings, notes, and the quality of each series. The same input gives the same document."""
    from watchband import __version__

    outcome = findings.outcome
    alerts_of: dict[str, int] = {}
    for alert in outcome.alerts:
        alerts_of[str(alert.series)] = alerts_of.get(str(alert.series), 0) + 1
    return {
        "watchband": __version__,
        "format": FORMAT,
        "settings": findings.settings,
        "counts": outcome.counts(),
        "span": {
            "start": None if outcome.start is None else iso(outcome.start),
            "end": None if outcome.end is None else iso(outcome.end),
        },
        "notes": findings.notes,
        "series": [
            {
                "series": str(key),
                "anomalies": outcome.anomalies_of.get(number, 0),
                "alerts": alerts_of.get(str(key), 0),
                "quality": {k: _plain(v) for k, v in outcome.quality[number].items()},
            }
            for number, key in enumerate(outcome.keys)
        ],
    }


def run_document(findings: Findings) -> dict[str, Any]:
    """What ``--json`` prints: the summary and every alert, most severe first."""
    return {**summary_document(findings), "alerts": [alert_document(a) for a in findings.alerts]}


def to_json(document: dict[str, Any]) -> str:
    """The text of a document, with a line end; no NaN in it."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def write_json(document: dict[str, Any], path: Path) -> None:
    """Write a document as a file."""
    path.write_text(to_json(document), encoding="utf-8")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
