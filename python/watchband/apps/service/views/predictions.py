"""Predictions as plain data, and what judges: all of it measured, none of it assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watchband import __version__
from watchband.apps.service.predicting import Judged, Verdict
from watchband.apps.service.status import instant, lanes_of, nominal_coverage, states_of
from watchband.apps.service.views.numbers import finite
from watchband.core.alert import severity_of
from watchband.core.params import values_of
from watchband.pipeline.series_states import NEVER

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

ANOMALY, NORMAL = -1, 1
LABELS: Mapping[int | None, str] = {ANOMALY: "anomaly", NORMAL: "normal", None: "no opinion"}


def prediction_of(scores: Sequence[float]) -> int | None:
    """-1 where a score is above 1, 1 where none is, None where there are none (NaN is none).

    Examples
    --------
    >>> prediction_of([0.2, 1.4]), prediction_of([0.2, math.nan]), prediction_of([math.nan])
    (-1, 1, None)
    """
    known = [score for score in scores if not math.isnan(score)]
    if not known:
        return None
    return ANOMALY if max(known) > 1 else NORMAL


def sample_document(service: Service, named: Sequence[tuple[str, Judged]], zone: str = "UTC") -> dict[str, Any]:
    """What is said of one sample: of all its fields together, then of each, the strangest first."""
    every = [(name, one, verdict) for name, one in named for verdict in one.verdicts]
    every.sort(key=lambda each: -_rank(each[2]))
    scores = [_score(verdict) for _, _, verdict in every]
    found = prediction_of(scores)
    judged = [v for _, _, v in every if v.point is not None and not math.isnan(v.point.anomaly_score)]
    if found == ANOMALY:
        judged = judged[:1]
    # What is called normal is as sure as the least known of its fields.
    confidence = min((v.point.confidence for v in judged if v.point), default=math.nan)
    top = max((s for s in scores if not math.isnan(s)), default=math.nan)
    return {
        "prediction": found,
        "label": LABELS[found],
        "anomaly_score": finite(top),
        "confidence": finite(confidence),
        "severity": severity_of(top) if found == ANOMALY else None,
        "timestamp": instant(named[0][1].time),
        "kept": any(one.kept or verdict.repeat for _, one, verdict in every),
        "fields": [_field(service, name, one, verdict, zone) for name, one, verdict in every],
    }


def _score(verdict: Verdict) -> float:
    return verdict.point.anomaly_score if verdict.point is not None else math.nan


def _rank(verdict: Verdict) -> float:
    score = _score(verdict)
    return -1.0 if math.isnan(score) else score


def _field(service: Service, name: str, one: Judged, verdict: Verdict, zone: str) -> dict[str, Any]:
    point = verdict.point
    settings = service.config.watches.get(verdict.watch)
    found = prediction_of([_score(verdict)])
    return {
        "field": name,
        "series": str(one.key),
        "watch": verdict.watch,
        "detector": settings.detector if settings else None,
        "value": one.value,
        "prediction": found,
        "anomaly_score": finite(point.anomaly_score) if point else None,
        "confidence": finite(point.confidence) if point else None,
        "severity": severity_of(point.anomaly_score) if point and found == ANOMALY else None,
        **{k: finite(getattr(point, k)) if point else None for k in ("expected", "lower", "upper", "p_value")},
        "recorded": verdict.recorded,
        "repeat": verdict.repeat,
        "alert": (point.alert or None) if point else None,
        "points_until_opinion": verdict.left if found is None else 0,
        "opinion_expected_at": instant(verdict.ready_at) if found is None and verdict.ready_at != NEVER else None,
        "reasons": point.sentences(settings.timezone if settings else zone) if point else [],
    }


def batch_document(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Samples with a summary; those that were refused have an ``error`` and no prediction."""
    predictions = [one.get("prediction") for one in results]
    valid = [one for one in results if "error" not in one]
    anomalies, normal = predictions.count(ANOMALY), predictions.count(NORMAL)
    return {
        "predictions": predictions,
        "results": list(results),
        "summary": {
            "total": len(results),
            "valid": len(valid),
            "anomalies": anomalies,
            "normal": normal,
            "no_opinion": len(valid) - anomalies - normal,
            # Of what could be said; unknown where nothing could.
            "anomaly_rate": finite(anomalies / (anomalies + normal)) if anomalies + normal else None,
        },
    }


def model_document(service: Service, fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What judges: every watch, how it is set and what was measured of it since this process started."""
    lanes = lanes_of(service)
    stands = service.look(lambda: {name: states_of(lane) for name, lane in lanes.items()})
    watches = []
    for name, settings in service.config.watches.items():
        lane, health = lanes.get(name), service.health_of(name)
        stopped = service.runner.stopped.get(name)
        spoken = health.points - health.missing
        watches.append(
            {
                "name": name,
                "match": list(settings.match),
                "detector": settings.detector,
                "parameters": _plain(values_of(lane.bound.watch.detector)) if lane else None,
                "members": list(lane.bound.watch.members) if lane else [],
                "rule": settings.rule_text,
                "warm_up_points": lane.bound.watch.warm_up if lane else None,
                "stopped": str(stopped) if stopped else None,
                "series": len(lane.state.keys) if lane else 0,
                "states": dict(stands.get(name, {})),
                "measured": {
                    "points": health.points,
                    "anomalous": health.anomalous,
                    "anomaly_rate": finite(health.anomalous / spoken) if spoken else None,
                    "coverage": finite(health.inside / health.banded) if health.banded else None,
                    "nominal_coverage": nominal_coverage(lane) if lane else None,
                },
            }
        )
    return {
        "name": "watchband",
        "version": __version__,
        "loaded": bool(lanes),
        "fields": {metric: list(aliases) for metric, aliases in fields.items()},
        "keeps": service.inflow.first_of("push"),
        "since": instant(service.began),
        "watches": watches,
        "note": "Measured since this process started. Precision and recall need labels, which a service does not have: "
        "`watchband backtest --labels` measures them.",
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, bool | int | str) or value is None else finite(value)
        if isinstance(value, float) else str(value)
        for name, value in values.items()
    }  # fmt: skip


def health_document(service: Service) -> tuple[bool, dict[str, Any]]:
    """Whether a sample would be judged now, and why not."""
    lanes = lanes_of(service) if service.phase in ("running", "draining") else {}
    reasons = list(service.unready)
    if service.phase == "running":
        reasons += [f"the watch {name} stands still: {error}" for name, error in service.runner.stopped.items()]
    loaded = bool(lanes) and service.engine.alive
    healthy = loaded and service.phase == "running" and not service.engine.standby
    return healthy, {
        "status": "healthy" if healthy else "unhealthy",
        "model_loaded": loaded,
        "reasons": reasons,
        "version": __version__,
        "timestamp": instant(service.clock.now()),
    }
