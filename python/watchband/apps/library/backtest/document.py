"""The document of a backtest: ``summary.json``, ``--json``, and the rows of its tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from watchband.apps.library.moments import iso
from watchband.apps.library.outputs.documents import alert_document
from watchband.evaluation.backtest.assess import Told
from watchband.evaluation.backtest.contender import Contender
from watchband.evaluation.backtest.figures import Figures
from watchband.evaluation.backtest.points import PointFigures
from watchband.evaluation.labels import Label
from watchband.evaluation.metrics.bootstrap import Interval

if TYPE_CHECKING:
    from watchband.apps.library.backtest.result import Backtest, Mistake

FORMAT = 1


def document(found: Backtest) -> dict[str, Any]:
    """All of a backtest as plain data, without the scores."""
    from watchband import __version__

    return {
        "watchband": __version__,
        "format": FORMAT,
        "settings": dict(found.settings),
        "data": {
            "title": found.title,
            "series": len(found.told),
            "readings": sum(one.series.readings for one in found.told),
            "failures": [{"series": f.series, "candidate": f.candidate, "error": f.error} for f in found.failures],
            "notes": list(found.notes),
        },
        "candidates": [_candidate(found, one) for one in found.contenders],
        "lead": _lead(found),
        "choices": _choices(found),
        "series": [_series(found, at) for at in range(len(found.told))],
        "alerts": [alert_row(*one) for one in found.alerts()],
        "mistakes": [mistake_row(one) for one in found.mistakes()],
    }


def about(one: Contender) -> dict[str, Any]:
    """Who a candidate is."""
    from watchband.apps.library.options import detector_text
    from watchband.evaluation.backtest.outside import Outside

    detector = one.watch.detector
    return {
        "name": one.name,
        "baseline": one.baseline,
        "detector": str(detector) if isinstance(detector, Outside) else detector_text(detector),
        "rule": str(one.watch.rule),
        "promised_per_week": plain(one.promised),
    }


def _candidate(found: Backtest, one: Contender) -> dict[str, Any]:
    by_points = figure_document(found.points[one.name]) if found.points else None
    return {**about(one), "figures": figure_document(found.figures[one.name]), "points": by_points}


def figure_document(one: Figures | PointFigures) -> dict[str, Any]:
    """Figures as plain data; an interval is ``{"value", "low", "high"}``, None is not known."""
    found: dict[str, Any] = {}
    for name in one.__dataclass_fields__:
        value = getattr(one, name)
        if isinstance(value, Interval):
            found[name] = {k: plain(v) for k, v in value._asdict().items()}
        else:
            found[name] = plain(value)
    return found


def figure_row(one: Figures | PointFigures) -> dict[str, Any]:
    """Figures as one row of a table."""
    found: dict[str, Any] = {}
    for name, value in figure_document(one).items():
        if isinstance(value, dict):
            found |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
        else:
            found[name] = value
    return found


def alert_row(candidate: str, series: str, told: Told) -> dict[str, Any]:
    """An alert as plain data, with its verdict and the label it falls on."""
    label = told.label
    found = {"candidate": candidate, **alert_document(told.alert), "verdict": told.verdict}
    return found | {
        "fault": label.fault if label else None,
        "label_start": iso(label.start) if label else None,
        "label_end": iso(label.end) if label else None,
    }


def mistake_row(one: Mistake) -> dict[str, Any]:
    """A false alert or a missed event as plain data."""
    found: dict[str, Any] = {"candidate": one.candidate, "series": one.series, "kind": one.kind}
    if one.told is not None:
        alert = one.told.alert
        return found | {
            "start": iso(alert.decided),
            "end": None if alert.closed is None else iso(alert.closed),
            "fault": None,
            "size": None,
            "alert": alert.id,
            "anomaly_score": plain(alert.anomaly_score),
            "reason": alert.reason,
        }
    assert one.event is not None
    return found | {**_label(one.event.label), "alert": None, "anomaly_score": None, "reason": None}


def _label(label: Label) -> dict[str, Any]:
    return {
        "start": iso(label.start),
        "end": iso(label.end),
        "fault": label.fault or None,
        "size": plain(label.size),
    }


def _series(found: Backtest, at: int) -> dict[str, Any]:
    one = found.told[at]
    return {
        "series": str(one.series.key),
        "readings": one.series.readings,
        "start": iso(one.series.first),
        "end": iso(one.series.last),
        "counts_from": iso(one.span.start),
        "events": len(next(iter(one.outcomes.values()))[1].events),
        "candidates": {
            name: {
                "points": record.points,
                "anomalies": record.anomalies,
                "alerts": len(outcome.told),
                "found": sum(e.found for e in outcome.events),
                "false": sum(t.verdict in ("false", "quiet") for t in outcome.told),
            }
            for name, (record, outcome) in one.outcomes.items()
        },
    }


def _lead(found: Backtest) -> dict[str, Any] | None:
    if found.lead is None:
        return None
    difference = {k: plain(v) for k, v in found.lead.difference._asdict().items()}
    return {"first": found.lead.first, "second": found.lead.second, "difference": difference, "clear": found.lead.clear}


def _choices(found: Backtest) -> dict[str, Any] | None:
    choices = found.choices
    if choices is None:
        return None
    return {
        "honest": figure_document(choices.honest),
        "loss": plain(choices.loss),
        "splits": [
            {
                "number": one.number,
                "chosen": one.chosen,
                "choosing": {n: figure_document(f) for n, f in one.choosing.items()},
                "reporting": {n: figure_document(f) for n, f in one.reporting.items()},
            }
            for one in choices.splits
        ],
    }


def plain(value: Any) -> Any:
    """None for a number that is not known."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
