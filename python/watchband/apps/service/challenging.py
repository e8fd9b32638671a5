"""Challenging: a challenger is checked, learns from the kept log in a thread of its own, and joins the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from watchband.apps.service.modelling import between, lane_in, say
from watchband.apps.service.tasks import Found, Task, Work
from watchband.core.errors import ConfigError, NotThereError
from watchband.core.events import ChallengerStarted
from watchband.pipeline.admission import bytes_of
from watchband.pipeline.bound import Bound, Lane
from watchband.pipeline.lineage import Model
from watchband.pipeline.priming import NEAR, follow, held_spans, join, prime

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

RULES = ("budget", "cutoff", "sigma", "contamination", "width")
MAY_CHANGE = frozenset({"detector", *RULES})
"""What a challenger may have otherwise than its watch; how readings become points and alerts stays."""
SHARED = ("prepare", "decide", "pulse")


def settings_with(settings: str, changes: Mapping[str, Any]) -> str:
    """The settings of a model with some changes; empty where nothing is other than configured.

    Examples
    --------
    >>> settings_with("", {"sigma": "3"})
    '{"budget":null,"contamination":null,"cutoff":null,"sigma":"3","width":null}'
    >>> settings_with("", {})
    ''
    """
    given = {key: value for key, value in changes.items() if value is not None}
    rules: dict[str, Any] = dict.fromkeys(RULES) if given.keys() & set(RULES) else {}
    found = {**(json.loads(settings) if settings else {}), **rules, **given}
    return json.dumps(found, sort_keys=True, separators=(",", ":")) if found else ""


def challenge(
    service: Service,
    name: str,
    changes: Mapping[str, Any],
    learned: Literal["all", "cutoff"],
    history: int,
    by: str,
    why: str,
) -> Work:
    """The work that makes a challenger of a watch, checked as far as can be before.

    Raises
    ------
    NotThereError, ConfigError
        See ``Retraining.challenge``.
    """
    watch = running(service, name)
    if odd := changes.keys() - MAY_CHANGE:
        raise ConfigError(
            f"A challenger may have another {', '.join(sorted(MAY_CHANGE))}. Got {', '.join(sorted(odd))}."
        )
    free(service, name, watch)
    settings = settings_with(watch.state.upstream.lineage.champion.settings, changes)
    bound = watch.bound.shadow(Model(0, settings))
    fits(service, watch, bound, learned)

    def work(task: Task) -> Found:
        mine = running(service, name)
        windows = service.look(lambda: mine.state.upstream.windows.events())
        times = mine.state.prepare.last_time
        now = int(times.max()) if len(times) else service.clock.now()
        held = held_spans([a for a in service.alerts() if a.watch == name], now)
        number = next_number(service, name)
        shadow = mine.bound.shadow(Model(number, settings))
        lane = prime(
            shadow,
            service.store,
            service.runner.shard,
            windows=windows,
            held=held,
            since=now - history,
            progress=lambda done, whole: task.progress("learning from the log", done, whole + 1),
        )
        while follow(lane, service.store, service.runner.shard) > NEAR:
            task.progress("catching up", 1, 1)
        event = ChallengerStarted(name, mine.bound.fingerprint, number, settings, 0, learned, by, why)
        entry = between(service, lambda: joined(service, lane, event))
        return Found({"watch": name, "model": number, "settings": settings, "entry": entry, "held": len(held)})

    return work


def running(service: Service, name: str) -> Lane:
    """A watch as it was after the last entry, from any thread: to ask the runner is the engine's alone.

    Raises
    ------
    NotThereError
        There is none that runs.
    """
    shard = service.engine.shard
    found = shard.lanes.get(name) if shard else None
    if found is None:
        known = ", ".join(sorted(service.config.watches))
        raise NotThereError(f"There is no watch {name!r} that runs. Known: {known}.")
    return found


def joined(service: Service, lane: Lane, event: ChallengerStarted) -> int:
    """Let a challenger that has learned stand beside its watch from here on, in the engine's thread."""
    watch = lane_in(service, event.watch)
    if watch.bound.fingerprint != event.fingerprint:
        raise ConfigError(f"The watch {event.watch!r} has other settings by now. Start its challenger again.")
    free(service, event.watch, watch)
    follow(lane, service.store, service.runner.shard)
    join(lane, watch.state, keeps=("detector",) if event.learned == "cutoff" else ())
    service.runner.live().shadows.write(lane)
    entry = say(service, replace(event, time=service.clock.now()))
    service.retraining.changed()
    return entry


def next_number(service: Service, name: str) -> int:
    """A number that no model of the watch has had."""
    used = [r.event.number for r in service.store.model_events() if r.event.watch == name]
    return max(used, default=0) + 1


def free(service: Service, name: str, watch: Lane) -> None:
    """Raise ConfigError where there may be no challenger now."""
    if (one := watch.state.upstream.lineage.challenger) is not None:
        raise ConfigError(f"The watch {name!r} has a challenger, model {one.number}. Promote or refuse it first.")
    shard = service.engine.shard
    there = sum(len(lane.state.upstream.lineage.shadows) for lane in shard.lanes.values()) if shard else 0
    most = service.config.engine.max_shadows
    if there >= most:
        raise ConfigError(f"{there} models are in shadow, and at most {most} may be (engine.max_shadows). Let one go.")


def fits(service: Service, watch: Lane, shadow: Bound, learned: str) -> None:
    """Raise ConfigError where a challenger cannot stand beside its watch."""
    for stage in SHARED:
        one, other = watch.bound.watch.stages.get(stage), shadow.watch.stages.get(stage)
        if (one and one.fingerprint) != (other and other.fingerprint):
            raise ConfigError(f"A challenger shares the stage {stage!r} with its watch, and these settings change it.")
    if learned == "cutoff" and shadow.watch.detector.fingerprint != watch.bound.watch.detector.fingerprint:
        raise ConfigError("With only the cut-off learned anew the detector stays. Leave 'detector' out.")
    need, admission = bytes_of(shadow.watch) * len(watch.state.keys), service.runner.admission
    if admission is not None and admission.room.nbytes + need > admission.max_memory:
        raise ConfigError(
            f"A challenger takes {need:,} bytes as declared, and there is room for "
            f"{max(0, admission.max_memory - admission.room.nbytes):,} (engine.max_memory)."
        )
