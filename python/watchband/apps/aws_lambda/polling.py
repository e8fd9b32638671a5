"""Polling: sources that are asked give one round; then time is told to the others, and what waits is delivered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.parts import part_of, part_of_text
from watchband.core.duration import parse_duration
from watchband.core.errors import TransientError, WatchbandError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch, Readings
from watchband.pipeline.shard import Shard

log = logging.getLogger("watchband.lambda")
KINDS = ("poll", "prometheus", "cloudwatch")
"""Sources that are asked round by round."""


def poll_round(function: Function, left_s: Callable[[], float]) -> dict[str, Any]:
    """Ask every source that is asked, once; what was folded of each, and what failed.

    Raises
    ------
    WatchbandError
        All of them failed.
    """
    counts: dict[str, int] = {}
    failed: dict[str, str] = {}
    first: WatchbandError | None = None
    for name, named in function.config.sources.items():
        if named.settings.kind not in KINDS:
            continue
        try:
            counts[name] = _round(function, name, named.settings, left_s)
        except WatchbandError as error:
            first, failed[name] = first or error, str(error)
            log.error("source %s was not read: %s", name, error)
    for _, part in function.every_part():
        part.take(lambda shard: _silence(function, shard), left_s)
    if first is not None and not counts:
        raise first
    return {"readings": counts, "failed": failed}


def _round(function: Function, name: str, settings: Any, left_s: Callable[[], float]) -> int:
    """One round of a source: its position is kept by the part that is its home, behind what the others were given."""
    home = part_of_text(name, function.parts.count)
    positions = function.parts.get(home).lead().seen.get(name)
    count = 0
    with closing(settings.open(name, clock=function.clock)) as source:
        for batch in source.read(positions[-1] if positions else None):
            readings = function.relabelled(name, batch.readings)
            count += sum(len(r.times) for r in readings)
            mine: dict[int, list[Readings]] = {number: [] for number in range(function.parts.count)}
            for one in readings:
                mine[part_of(one.key, function.parts.count)].append(one)
            for number in sorted(mine, key=lambda n: n == home):
                position = batch.position if number == home else ""
                given = Batch(mine[number], position, batch.events, batch.history)
                function.parts.get(number).take(partial(_once, name, given), left_s)
            if batch.events:
                return count
            if left_s() <= 1.0:
                raise TransientError(f"The source {name!r} has more than one invocation takes; the next goes on.")
    return count


def _once(name: str, given: Batch, shard: Shard) -> list[tuple[str, Batch]]:
    """A batch, unless it was folded before this call was made again."""
    known = bool(given.position) and given.position in shard.seen.get(name, ())
    return [] if known or not (given.readings or given.position or given.events) else [(name, given)]


def _silence(function: Function, shard: Shard) -> list[tuple[str, Batch]]:
    """How far time has moved for sources that are pushed to, where the function was told what counts as silence."""
    if not function.told.silence or not any(lane.state.keys for lane in shard.lanes.values()):
        return []
    mark = function.clock.now() - parse_duration(function.told.silence)
    pushed = [n for n, s in function.config.sources.items() if s.settings.kind not in KINDS]
    return [(name, Batch((), "", (WatermarkMoved(mark),))) for name in pushed if name in shard.seen]
