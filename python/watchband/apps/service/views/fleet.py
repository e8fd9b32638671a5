"""The fleet at a glance: a score for every series in an order that never changes, and how many were outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.service.status import instant
from watchband.apps.service.views.numbers import column
from watchband.apps.service.views.series import Row, rows
from watchband.core.duration import MINUTE, SECOND

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

WINDOW = 15 * MINUTE
BUCKET = 5 * MINUTE
BUCKETS = 72
_STATE = {"OK": 0, "ALARM": 0, "INSUFFICIENT_DATA": 1, "NO_DATA": 2}
GROUPS_MAX = 24
_GROUP_LABELS = ("service", "app", "workload", "role", "job", "team", "namespace", "cluster", "host", "instance")


def fleet_of(service: Service, *, names: bool = False) -> dict[str, Any]:
    """Columns over all series by group and name: the highest score of the last 15 minutes, and the state.

    Names are by far the most of it and seldom change, so they are told only where they are asked for.
    """
    second = service.clock.now() // SECOND
    ordered, found = service.shared.found("fleet", service.recent.series, lambda: _fleet(service), besides=second)
    return {"series": [row.text for row in ordered], **found} if names else found


def _fleet(service: Service) -> tuple[list[Row], dict[str, Any]]:
    now = service.clock.now()
    groups = grouped(rows(service))
    ordered = [row for _, members in groups for row in members]
    peaks = service.recent.peaks(now - WINDOW)
    return ordered, {
        "time": instant(now),
        "groups": [{"name": name, "count": len(members)} for name, members in groups],
        "scores": column(np.array([peaks.get((row.watch, row.key), np.nan) for row in ordered], np.float64)),
        "states": [_STATE[row.state] for row in ordered],
        "history": [
            {"start": instant(start), "outside": outside}
            for start, outside in service.recent.outside(now - BUCKETS * BUCKET, now, BUCKET)
        ],
    }


def grouped(every: list[Row]) -> list[tuple[str, list[Row]]]:
    """Series by the label that says most about whose they are, groups and members by name.

    A series stands with the first of the usual labels that it has and that makes few enough groups to be read: services
    by ``service``, the machines beside them by ``role``. Without such a label the first counts that most series have,
    and without any the watch. The smallest of too many groups stand together at the end.
    """
    if not every:
        return []
    values = {name: {row.key.labels[name] for row in every if name in row.key.labels} for name in _GROUP_LABELS}
    few = [name for name in _GROUP_LABELS if 0 < len(values[name]) <= GROUPS_MAX]
    most = next((n for n in _GROUP_LABELS if 2 * sum(n in row.key.labels for row in every) > len(every)), None)
    found: dict[str, list[Row]] = {}
    for row in sorted(every, key=lambda r: (r.text, r.watch)):
        labels = row.key.labels
        label = next((name for name in few if name in labels), most)
        found.setdefault(labels.get(label, "other") if label else row.watch, []).append(row)
    if len(found) > GROUPS_MAX:
        large = sorted(found, key=lambda name: (-len(found[name]), name))[: GROUPS_MAX - 1]
        rest = [row for name in sorted(found) if name not in large for row in found[name]]
        found = {name: found[name] for name in large}
        found["other"] = found.get("other", []) + rest
    return sorted(found.items(), key=lambda each: (each[0] == "other", each[0]))
