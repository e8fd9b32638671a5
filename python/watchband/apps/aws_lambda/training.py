"""Training of cut-offs: a model learns from the last days of the log, and judges from here on, as a new version.

A forest learns all of these days first. Then it is frozen, and scores them once more; mean + kσ of these scores, or its
robust form, is the cut-off of each series. What is promoted is an event of the log: the versions of a watch are its
model events, newest last, and one can be rolled back to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from watchband.apps.aws_lambda.parts import SHARD, Part
from watchband.apps.library.options import detector_text
from watchband.core import params
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError
from watchband.core.events import (
    ChallengerStarted,
    ControlEvent,
    DriftApproved,
    ModelPromoted,
    ShadowEnded,
    WindowOpened,
)
from watchband.core.params import Flag, Real, param
from watchband.core.ports import Batch, Commit
from watchband.pipeline.bound import END, Bound, Lane
from watchband.pipeline.drifting import cutoff_of
from watchband.pipeline.ledger import Ledger
from watchband.pipeline.lineage import Model
from watchband.pipeline.priming import held_spans, join
from watchband.pipeline.rules import Sigma
from watchband.pipeline.windows import Windows

BY = "watchband"
LEAST = 100
"""Points of a series that a cut-off is made of, at least."""
ENDLESS = 1 << 40
"""Training points that nothing has: scores are only counted."""
TOLD_MAX = 5
"""Series whose cut-offs an event names."""
RULES = ("budget", "cutoff", "contamination", "width")


@dataclass(frozen=True)
class Wanted:
    """How cut-offs are trained; the keys of the event."""

    watch: str = param("", params.Text("the name of a watch"), "Which; all of them otherwise.")
    days: float = param(1.0, Real(0, 400, low_open=True), "How far back is learned.", unit="days")
    k: float = param(2.5, Real(0, low_open=True), "Standard deviations above the mean.")
    robust: bool = param(False, Flag(), "Median and median deviation instead.")

    def __post_init__(self) -> None:
        params.check(self)


def wanted_of(event: Any) -> Wanted:
    """What an event asks for; a schedule's own event asks for nothing else than usual.

    Raises
    ------
    ConfigError
        A value is none.

    Examples
    --------
    >>> wanted_of({"source": "aws.events"}).k, wanted_of({"days": 7, "k": 3}).days
    (2.5, 7)
    """
    known = ("watch", "days", "k", "robust")
    return Wanted(**{key: event[key] for key in known if isinstance(event, dict) and key in event})


def train_part(part: Part, wanted: Wanted, now: int) -> list[dict[str, Any]]:
    """Train the watches of a part; of each the version, the rule, and the cut-offs of its series.

    Raises
    ------
    TransientError
        Another process wrote meanwhile: nothing was promoted.
    """
    try:
        return _trained(part, wanted, now)
    finally:
        part.release()


def _trained(part: Part, wanted: Wanted, now: int) -> list[dict[str, Any]]:
    shard = part.lead()
    if wanted.watch and wanted.watch not in shard.lanes:
        raise ConfigError(f"There is no watch {wanted.watch!r}. Known: {', '.join(sorted(shard.lanes))}.")
    found = []
    for name, lane in list(shard.lanes.items()):
        if wanted.watch in ("", name):
            said = _train(part, name, lane, wanted, now)
            if said is not None:
                found.append(said)
    return found


def _train(part: Part, name: str, watch: Lane, wanted: Wanted, now: int) -> dict[str, Any] | None:
    since = _newest(watch, now) - int(wanted.days * DAY)
    number = max((r.event.number for r in part.store.model_events() if r.event.watch == name), default=0) + 1
    # Of another try that ended between its two events.
    lineage = watch.state.upstream.lineage
    if lineage.challenger is not None:
        number = max(number, lineage.challenger.number + 1)
        _say(part, ShadowEnded(name, watch.bound.fingerprint, lineage.challenger.number, now, "withdrawn", BY))
        watch = part.runner.live().lanes[name]
    windows = _windows(part, name, watch)
    forest = _forest(part, watch, number, since, windows)
    endless = Sigma(wanted.k, ENDLESS, wanted.robust)
    points = _usual(_judged(part, _model(watch, endless, number, forest, windows), since)[0])
    if not points:
        return None
    rule = Sigma(wanted.k, points, wanted.robust)
    lane = _model(watch, rule, number, forest, windows)
    _, cutoffs = _judged(part, lane, since)
    lane.sequence = watch.sequence
    named = ", ".join(f"{series}: {x:.4g}" for series, x in list(cutoffs.items())[:TOLD_MAX])
    more = f" and {len(cutoffs) - TOLD_MAX} more" if len(cutoffs) > TOLD_MAX else ""
    why = f"cut-off at {rule} over {points} points: {named}{more}"
    join(lane, watch.state)
    part.runner.live().shadows.write(lane)
    fingerprint = watch.bound.fingerprint
    model = lane.bound.model
    _say(part, ChallengerStarted(name, fingerprint, number, model, now, "all", BY, why))
    _say(part, ModelPromoted(name, fingerprint, number, now, False, BY, why), DriftApproved(name, now))
    part.runner.save()
    return {"watch": name, "model": number, "rule": str(rule), "points": points, "cutoffs": cutoffs}


def _say(part: Part, *events: ControlEvent) -> None:
    part.runner.take([(BY, Batch((), "", events))])


def _newest(watch: Lane, now: int) -> int:
    times = watch.state.prepare.last_time
    return int(times.max()) if len(times) else now


def _entries(part: Part, since: int) -> Iterator[Commit]:
    """The entries that hold readings from ``since`` on, and all behind the first of these."""
    begun = False
    for entry in part.store.log(SHARD, 0):
        begun = begun or any(len(r.times) and int(r.times.max()) >= since for r in entry.readings)
        if begun:
            yield entry


def _usual(counts: Mapping[str, int]) -> int:
    """Scores that three of four series have, less the one that shows the cut-off; 0 where these are too few."""
    usual = sorted(count for count in counts.values() if count > LEAST)
    return usual[len(usual) // 4] - 1 if usual else 0


def _settings(bound: Bound, rule: Sigma, frozen: bool) -> str:
    """The settings of a model with a rule; a forest learns in it, or does no longer."""
    text = f"{rule.k!r},train={rule.train}" + (",robust" if rule.robust else "")
    given: dict[str, Any] = {**(json.loads(bound.model) if bound.model else {}), **dict.fromkeys(RULES), "sigma": text}
    detector: Any = bound.watch.detector
    if hasattr(detector, "frozen"):
        given["detector"] = detector_text(replace(detector, frozen=frozen))
    return json.dumps(given, sort_keys=True, separators=(",", ":"))


def _forest(part: Part, watch: Lane, number: int, since: int, windows: Windows) -> Lane | None:
    """A forest that has learned what the log has; None where the detector is none."""
    if not hasattr(watch.bound.watch.detector, "frozen"):
        return None
    lane = _begun(watch.bound.shadow(Model(number, _settings(watch.bound, Sigma(train=LEAST), False))), windows)
    for entry in _entries(part, since):
        lane.fold(entry)
    return lane


def _model(watch: Lane, rule: Sigma, number: int, forest: Lane | None, windows: Windows) -> Lane:
    """A model before its first entry, with a forest that has learned."""
    lane = _begun(watch.bound.shadow(Model(number, _settings(watch.bound, rule, True))), windows)
    if forest is not None:
        lane.state.add(list(forest.state.keys))
        lane.state.detector = forest.state.detector.copy()
        # It has learned these times; now it judges them.
        lane.state.detector.last_time[:] = lane.state.prepare.last_time
        lane.bound.watch.take_over(lane.state)
    return lane


def _windows(part: Part, name: str, watch: Lane) -> Windows:
    """The windows of the watch, and one over each alert: what was none is not learned as normal."""
    alerts = [alert for alert in part.store.alerts() if alert.watch == name]
    held = held_spans(alerts, _newest(watch, 0))
    marks = [WindowOpened(f"held {i}", "no_learn", *span[1:], span[0]) for i, span in enumerate(held)]
    return Windows([*watch.state.upstream.windows.events(), *marks])


def _begun(bound: Bound, windows: Windows) -> Lane:
    lane = Lane(bound)
    lane.state.upstream.windows = Windows(windows.events())
    lane.state.ledger = Ledger(since=END)
    return lane


def _judged(part: Part, lane: Lane, since: int) -> tuple[dict[str, int], dict[str, float]]:
    """Fold the log: how many scores each series has, and its last cut-off, where there is one."""
    counts: dict[str, int] = {}
    cutoffs: dict[str, float] = {}
    for entry in _entries(part, since):
        found = lane.fold(entry)
        limit = cutoff_of(lane.bound.watch, found.score, found.anomaly_score, found.limit_above, found.limit_below)
        for at in np.flatnonzero(np.isfinite(found.score)).tolist():
            name = str(found.keys[int(found.row[at])])
            # What is held back is no training.
            counts[name] = counts.get(name, 0) + (not found.excluded[at])
            if np.isfinite(limit[at]):
                cutoffs[name] = float(limit[at])
    return counts, cutoffs
