"""Retraining: challengers are started, judged by a stated rule, promoted or refused, and taken back.

What there is says the log; a thread looks at it now and then and does what is due. People do the same by the API.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from watchband.apps.config.retrain import RetrainSettings
from watchband.apps.service.challenging import RULES, challenge
from watchband.apps.service.judging import Judged, judged, terms_of
from watchband.apps.service.modelling import between, lane_in, note_hours, say
from watchband.apps.service.rounds import Rounds, complained
from watchband.apps.service.tasks import Task, TasksFullError
from watchband.apps.service.trained import trained
from watchband.core.acts import Act, Deed
from watchband.core.errors import ConfigError, NotThereError, TransientError
from watchband.core.events import DriftApproved, ModelPromoted, ShadowEnded
from watchband.pipeline.bound import Lane
from watchband.pipeline.drift import MONITORS
from watchband.pipeline.lineage import fold_name
from watchband.pipeline.results import Results

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

log = logging.getLogger("watchband.retraining")
EVERY_S = 30.0
BY = "watchband"
"""Who did it, where the clock, a monitor or the rule did."""
Outcome = Literal["refused", "withdrawn", "failed", "over"]


class Retraining:
    """Models in shadow, as people and the configuration want them.

    Parameters
    ----------
    service : Service
        Whose watches.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._tasks: dict[str, Task] = {}
        self._trouble = ""
        self.rounds = Rounds("retraining", self.tick, EVERY_S)

    def wanted(self, watch: str) -> RetrainSettings:
        """What the configuration says of a watch; the defaults where that is nothing."""
        settings = self.service.config.watches.get(watch)
        return (settings.retrain if settings else None) or RetrainSettings()

    def challenge(
        self, watch: str, changes: Mapping[str, Any], learned: Literal["all", "cutoff"], by: str, why: str = ""
    ) -> Task:
        """Let a challenger learn, then stand in shadow; the task says how far it is.

        Raises
        ------
        NotThereError
            No such watch.
        ConfigError
            It has one, there are too many, there is no room for it, or the settings are none.
        StateError
            A trained model (``model``, its folder) cannot be trusted.
        TasksFullError
            Too many tasks wait.
        """
        running = self._tasks.get(watch)
        if running is not None and running.state in ("waiting", "running"):
            raise ConfigError(f"A challenger of the watch {watch!r} learns already: task {running.id}.")
        service = self.service
        folder = changes.get("model")
        if folder is not None:
            given = {key: value for key, value in changes.items() if key in RULES}
            found = trained(str(folder), service.config.store)
            changes = {"detector": found["detector"], **(given or {k: v for k, v in found.items() if k != "detector"})}
        work = challenge(service, watch, changes, learned, self.wanted(watch).history, by, why)
        task = service.tasks.start("retrain", f"Retrain {watch}", by, work, {"watch": watch})
        self._tasks[watch] = task
        try:
            service.acting.do(Act(service.clock.now(), by, "retrain", watch, said(changes, learned, why)))
        except TransientError:
            service.tasks.drop(task.id)
            raise
        return task

    def promote(self, watch: str, number: int, by: str, why: str = "") -> dict[str, Any]:
        """Let the challenger judge from here on; the model before stays in shadow.

        Raises
        ------
        NotThereError
            No such watch, or no such challenger.
        ConfigError
            It cannot go on.
        """
        return self._exchange(watch, number, by, why, back=False)

    def roll_back(self, watch: str, by: str, why: str = "") -> dict[str, Any]:
        """Let the former model judge again, from the state that it would have had it judged all the time.

        Raises
        ------
        NotThereError
            No such watch, or no former model of it is kept.
        ConfigError
            It cannot go on.
        """
        return self._exchange(watch, None, by, why, back=True)

    def _exchange(self, watch: str, number: int | None, by: str, why: str, *, back: bool) -> dict[str, Any]:
        service = self.service

        def done() -> dict[str, Any]:
            lane = lane_in(service, watch)
            lineage = lane.state.upstream.lineage
            model = lineage.former if back else lineage.challenger
            if model is None or number not in (None, model.number):
                raise NotThereError(
                    f"The watch {watch!r} has no {'former model' if back else 'challenger'}"
                    + (f" {number}." if model is not None else " in shadow.")
                )
            shadows = service.runner.live().shadows
            if (trouble := shadows.failed.get(fold_name(watch, model.number))) is not None:
                raise ConfigError(f"Model {model.number} of the watch {watch!r} cannot go on: {trouble}")
            now = service.clock.now()
            deed: Deed = "roll back" if back else "promote"
            text = f"model {model.number} instead of {lineage.champion.number}" + (f": {why}" if why else "")
            service.acting.do(Act(now, by, deed, watch, text))
            event = ModelPromoted(watch, lane.bound.fingerprint, model.number, now, back, by, why)
            # What is measured against what was is measured anew.
            entry = say(service, event, DriftApproved(watch, now))
            self.changed()
            log.info("a model judges from here on", extra={"watch": watch, "model": model.number, "back": back})
            return {"watch": watch, "model": model.number, "before": lineage.champion.number, "entry": entry}

        return between(service, done)

    def end(self, watch: str, number: int, by: str, why: str = "", outcome: Outcome = "refused") -> dict[str, Any]:
        """Let a model in shadow go: what it learned is dropped.

        Raises
        ------
        NotThereError
            No such watch or model.
        """
        service = self.service

        def done() -> dict[str, Any]:
            lane = lane_in(service, watch)
            if lane.state.upstream.lineage.shadow(number) is None:
                raise NotThereError(f"The watch {watch!r} has no model {number} in shadow.")
            now = service.clock.now()
            service.acting.do(Act(now, by, "refuse", watch, f"model {number} {outcome}" + (f": {why}" if why else "")))
            entry = say(service, ShadowEnded(watch, lane.bound.fingerprint, number, now, outcome, by, why))
            self.changed()
            return {"watch": watch, "model": number, "entry": entry}

        return between(service, done)

    def learning(self, watch: str) -> str | None:
        """The id of the task by which a challenger learns; None where none does."""
        task = self._tasks.get(watch)
        return task.id if task is not None and task.state in ("waiting", "running") else None

    def changed(self) -> None:
        """Models came or went: what series cost is counted anew."""
        if self.service.runner.admission is not None:
            self.service.runner.admission.again()

    def took(self, fold: str, results: Results) -> None:
        """What a model in shadow said of an entry, in the engine's thread."""
        lane = self.service.runner.shadow(fold)
        note_hours(self.service.hours, lane, fold, results)

    def judged(self, watch: str, lane: Lane) -> Judged | None:
        """How its challenger does; None where it has none."""
        return judged(self.service, watch, lane, terms_of(self.wanted(watch)))

    def tick(self) -> int:
        """Do what is due; how much that was."""
        if self.service.engine.standby or self.service.phase != "running":
            return 0
        done = 0
        try:
            shard = self.service.engine.shard
            for name, lane in list(shard.lanes.items()) if shard else ():
                done += self._judge(name, lane) + self._begin(name, lane)
        except Exception as error:
            # A thread that ended here would judge no challenger ever again.
            self._trouble = complained(log, "models could not be looked after", error, self._trouble)
            return done
        self._trouble = ""
        return done

    def _judge(self, name: str, lane: Lane) -> int:
        wanted, lineage, now = self.wanted(name), lane.state.upstream.lineage, self.service.clock.now()
        shard = self.service.engine.shard
        failed = shard.shadows.failed if shard is not None else {}
        if lineage.former is not None and now - lineage.former.since >= wanted.keep:
            self.end(name, lineage.former.number, BY, "its time to be rolled back to is over", "over")
            return 1
        model = lineage.challenger
        if model is None:
            return 0
        if (trouble := failed.get(fold_name(name, model.number))) is not None:
            self.end(name, model.number, BY, str(trouble), "failed")
            return 1
        found = self.judged(name, lane)
        if found is None or found.verdict.outcome in ("waiting", "unproven"):
            return 0
        if found.verdict.outcome == "better":
            if wanted.approval == "required":
                return 0
            self.promote(name, model.number, BY, found.verdict.says)
        else:
            self.end(name, model.number, BY, found.verdict.says)
        return 1

    def _begin(self, name: str, lane: Lane) -> int:
        """Start a challenger where the clock or a monitor wants one."""
        settings = self.service.config.watches.get(name)
        wanted = settings.retrain if settings else None
        if (
            wanted is None
            or lane.state.upstream.lineage.challenger is not None
            or name not in self.service.config.watches
        ):
            return 0
        last = self._last(name, lane)
        now = self.service.clock.now()
        why = ""
        if wanted.every is not None and now - last >= wanted.every:
            why = "schedule"
        elif wanted.on_drift and now - last >= wanted.shadow and (out := self._drifting(lane, wanted)):
            why = f"drift: {out}"
        if not why:
            return 0
        learned: Literal["all", "cutoff"] = "cutoff" if wanted.learned == "cutoff" else "all"
        try:
            self.challenge(name, {}, learned, BY, why)
        except (ConfigError, TasksFullError) as error:
            log.info("no challenger of %s for now: %s", name, error)
            return 0
        return 1

    def _last(self, name: str, lane: Lane) -> int:
        """When something last happened to the models of a watch; else when it saw its first series."""
        times = [r.event.time for r in self.service.store.model_events() if r.event.watch == name]
        if times:
            return max(times)
        first = [s.first for s in self.service.store.series() if s.key in lane.state.rows]
        return min(first, default=self.service.clock.now())

    def _drifting(self, lane: Lane, wanted: RetrainSettings) -> str:
        drift, state = lane.bound.watch.drift, lane.state.drift
        if drift is None or state is None:
            return ""
        out = self.service.look(lambda: drift.health(state)).out
        chosen = [i for i, monitor in enumerate(MONITORS) if monitor in wanted.on_drift]
        count = int(out[:, chosen].any(axis=1).sum())
        return f"{count} of {len(out)} series" if count >= wanted.drifting else ""


def said(changes: Mapping[str, Any], learned: str, why: str) -> str:
    """What is asked of a challenger, in words."""
    what = ", ".join(f"{k}: {v}" for k, v in changes.items() if v is not None) or "the same settings, learned anew"
    return what + (", only the cut-off" if learned == "cutoff" else "") + (f" ({why})" if why else "")
