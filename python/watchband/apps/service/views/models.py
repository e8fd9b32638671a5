"""Models as plain data: what watches learned, whether they keep what they promise, and states they can go back to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.adapters.stores.scored.hours import Hours
from watchband.apps.service.status import instant, lanes_of
from watchband.apps.service.views.numbers import finite
from watchband.apps.service.views.page import Page, page_of
from watchband.apps.service.views.watches import budget_text
from watchband.core.duration import DAY, HOUR, WEEK, format_duration
from watchband.core.errors import ConfigError, NotThereError
from watchband.core.matcher import Selector
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import Lane
from watchband.pipeline.drift import BLOCKS, MONITORS, NEVER, Health, limits_of
from watchband.pipeline.drifting import nominal_of
from watchband.pipeline.lineage import fold_name
from watchband.pipeline.rules import Budget

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

RECENT = WEEK
"""Length of time over which coverage and anomaly rate are told."""
MS = 1_000_000
STATES = ("drifting", "steady", "learning")
"""Of a series, in the order in which they are listed."""


def model_documents(service: Service) -> list[dict[str, Any]]:
    """Every watch with its detector: what it has seen, and what it keeps of what it promises."""
    lanes = lanes_of(service)
    kept = {s.name: s for s in service.store.states() if s.shard == service.runner.shard}
    found = service.look(lambda: {name: _state(lane) for name, lane in lanes.items()})
    documents = []
    for name in service.config.watches:
        lane, snapshots = lanes.get(name), kept[name].snapshots if name in kept else ()
        rule = lane.bound.watch.rule if lane else None
        model = json.loads(lane.bound.model) if lane and lane.bound.model else {}
        documents.append(
            {
                "watch": name,
                "detector": model.get("detector") or service.config.watches[name].detector,
                "rule": service.config.watches[name].rule_text if rule is None else str(rule),
                "budget": budget_text(rule) if isinstance(rule, Budget) else None,
                "stopped": str(service.runner.stopped[name]) if name in service.runner.stopped else None,
                **(found[name] if lane else _NOTHING),
                **(kept_of(service, lane) if lane else _UNKNOWN),
                "snapshots": len(snapshots),
                "last_snapshot": instant(snapshots[0].written) if snapshots else None,
            }
        )
    return documents


_UNKNOWN: dict[str, Any] = {
    "over": format_duration(RECENT),
    **dict.fromkeys(("coverage", "nominal", "anomaly_rate", "promised_rate", "cutoff", "cutoff_low", "cutoff_high")),
    **dict.fromkeys(("covered_points", "anomalous", "judged"), 0),
}
_NOTHING: dict[str, Any] = {"series": 0, "points": 0, "warming": 0, "bytes": 0, "bytes_a_series": 0, "drift": None}


def _state(lane: Lane) -> dict[str, Any]:
    watch, state = lane.bound.watch, lane.state
    return {
        "series": len(state.keys),
        "points": int(state.decide.points_seen.sum()),
        "warming": int(np.count_nonzero(watch.decide.judged(state.decide) == 0)),
        "bytes": int(state.nbytes),
        "bytes_a_series": sum(fold.state_bytes_max for fold in watch.stages.values()),
        "drift": drift_counts(lane),
    }


def drift_counts(lane: Lane) -> dict[str, Any] | None:
    """How many series of a watch drift, by monitor; None where nothing looks."""
    drift, state = lane.bound.watch.drift, lane.state.drift
    if drift is None or state is None:
        return None
    health = drift.health(state)
    return {
        "every": format_duration(drift.every_ns),
        "alert": drift.alert,
        "drifting": int(np.count_nonzero(health.out.any(axis=1))),
        "learning": int(np.count_nonzero(health.left)),
        "monitors": dict(zip(MONITORS, health.out.sum(axis=0).tolist(), strict=True)),
    }


def kept_of(service: Service, lane: Lane) -> dict[str, Any]:
    """Measured against promised, over the last week."""
    name, nominal = lane.bound.name, nominal_of(lane.bound.watch)
    now = service.clock.now()
    hours = service.hours.read(name, now - RECENT, now + DAY)
    whole = {key: float(getattr(hours, key).sum()) for key in ("points", "anomalous", "known", "outside", "promised")}
    last = np.flatnonzero(np.isfinite(hours.cutoff))
    at = int(last[-1]) if len(last) else -1
    return {
        "over": format_duration(RECENT),
        "coverage": _ratio(whole["known"] - whole["outside"], whole["known"]),
        "nominal": finite(nominal),
        "covered_points": int(whole["known"]),
        "anomaly_rate": _ratio(whole["anomalous"], whole["points"]),
        "promised_rate": _ratio(whole["promised"], whole["points"]) if whole["promised"] else None,
        "anomalous": int(whole["anomalous"]),
        "judged": int(whole["points"]),
        "cutoff": finite(hours.cutoff[at]) if at >= 0 else None,
        "cutoff_low": finite(hours.lowest[at]) if at >= 0 else None,
        "cutoff_high": finite(hours.highest[at]) if at >= 0 else None,
    }


def _ratio(part: float, whole: float) -> float | None:
    return finite(part / whole) if whole else None


def history_document(
    service: Service, name: str, key: SeriesKey | None, start: int, end: int, model: int | None = None
) -> dict[str, Any]:
    """Cut-off with mean ± 3σ of what was before, coverage and anomaly rate over time, of a watch or of one series.

    Of one of its models in shadow where that is named.

    Of a watch: hours, or days where the range is longer than four of them. Of a series: its last 32 blocks.

    Raises
    ------
    NotThereError
        No such watch, or a series that it has not seen.
    """
    lane = lanes_of(service).get(name)
    if lane is None:
        raise NotThereError(f"There is no watch {name!r} that runs.")
    about = {
        "watch": name,
        "series": None if key is None else str(key),
        "nominal": finite(nominal_of(lane.bound.watch)),
    }
    if key is not None:
        return about | service.look(lambda: _series_history(lane, key))
    if model is not None and lane.state.upstream.lineage.shadow(model) is None:
        raise NotThereError(f"The watch {name!r} has no model {model} in shadow.")
    step = HOUR if end - start <= 4 * DAY else DAY
    # What was before is part of the limits.
    hours = service.hours.read(name if model is None else fold_name(name, model), start - BLOCKS * step, end, step)
    low, high = limits_of(hours.cutoff)
    columns = _columns(hours, low, high, hours.start >= start // step * step)
    return about | {"step": format_duration(step), "of": "every series together", **columns}


def _columns(hours: Hours, low: Any, high: Any, chosen: Any) -> dict[str, Any]:
    return {
        "times_ms": (hours.start[chosen] // MS).tolist(),
        "cutoff": _finite(hours.cutoff[chosen]),
        "cutoff_low": _finite(low[chosen]),
        "cutoff_high": _finite(high[chosen]),
        "coverage": _share(hours.known[chosen] - hours.outside[chosen], hours.known[chosen]),
        "anomaly_rate": _share(hours.anomalous[chosen], hours.points[chosen]),
        "promised_rate": _share(hours.promised[chosen], hours.points[chosen]),
        "points": hours.points[chosen].astype(int).tolist(),
    }


def _series_history(lane: Lane, key: SeriesKey) -> dict[str, Any]:
    watch, state = lane.bound.watch, lane.state
    row = state.rows.get(key)
    if row is None:
        raise NotThereError(f"The watch {watch.name!r} has not seen the series {str(key)!r}.")
    if watch.drift is None or state.drift is None:
        raise ConfigError(
            f"The watch {watch.name!r} keeps no history of single series: set its 'drift' to true. Without 'series' "
            "this tells of all together."
        )
    h = watch.drift.history(state.drift, row)
    none = np.full(len(h.start), np.nan)
    return {
        "step": format_duration(watch.drift.every_ns),
        "of": "this series",
        "times_ms": (h.start // MS).tolist(),
        "cutoff": _finite(h.cutoff),
        "cutoff_low": _finite(h.low),
        "cutoff_high": _finite(h.high),
        "coverage": _share((h.known - h.outside).astype(float), h.known.astype(float)),
        "anomaly_rate": _share(h.anomalous.astype(float), h.points.astype(float)),
        "promised_rate": _finite(none),
        "points": h.points.tolist(),
    }


def _share(part: Any, whole: Any) -> list[float | None]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return _finite(part / whole)


def _finite(values: Any) -> list[float | None]:
    return [finite(float(x)) for x in values]


def drift_page(
    service: Service,
    *,
    watches: Sequence[str],
    states: Sequence[str],
    selector: Selector,
    limit: int,
    cursor: str | None,
) -> Page[dict[str, Any]]:
    """Series with what their monitors read, those that drift first, then by watch and name."""
    rows: list[tuple[int, str, str, Lane, int, Health]] = []
    for name, lane in lanes_of(service).items():
        drift, state = lane.bound.watch.drift, lane.state.drift
        if drift is None or state is None or (watches and name not in watches):
            continue
        health = service.look(lambda drift=drift, state=state: drift.health(state))  # type: ignore[misc]
        out = health.out.any(axis=1)
        rank = np.where(out, 0, np.where(health.left > 0, 2, 1)).tolist()
        # Series may have come since.
        for row, key in enumerate(lane.state.keys[: len(rank)]):
            if (not states or STATES[rank[row]] in states) and selector.matches(key):
                rows.append((rank[row], name, str(key), lane, row, health))
    rows.sort(key=lambda r: r[:3])
    page = page_of(rows, lambda r: r[:3], limit, cursor)
    return Page([_drift_document(*r) for r in page.items], page.next, page.total)


def _drift_document(rank: int, name: str, key: str, lane: Lane, row: int, health: Health) -> dict[str, Any]:
    since = int(health.since[row])
    return {
        "series": key,
        "watch": name,
        "state": STATES[rank],
        "since": None if since == NEVER else instant(since),
        "blocks_left": int(health.left[row]),
        "monitors": [
            {
                "monitor": monitor,
                "out": bool(health.out[row, i]),
                "reading": finite(float(health.reading[row, i])),
                "low": finite(float(health.low[row, i])),
                "high": finite(float(health.high[row, i])),
            }
            for i, monitor in enumerate(MONITORS)
        ],
    }


def snapshot_documents(service: Service, watch: str | None) -> list[dict[str, Any]]:
    """Every snapshot that is kept, by watch, the newest first."""
    lanes, head = lanes_of(service), service.engine.shard.sequence if service.engine.shard else 0
    return [
        {
            "watch": fold.name,
            "sequence": one.sequence,
            "written": instant(one.written),
            "bytes": one.nbytes,
            "entries_since": max(0, head - one.sequence),
            "usable": fold.name in lanes and lanes[fold.name].bound.fingerprint == fold.fingerprint,
        }
        for fold in service.store.states()
        if fold.shard == service.runner.shard and fold.name in lanes and watch in (None, fold.name)
        for one in fold.snapshots
    ]
