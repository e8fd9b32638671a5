"""The ``watches`` section: which series, judged how, told to whom."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from watchband.apps.config.breach import BreachSettings
from watchband.apps.config.retrain import RetrainSettings
from watchband.apps.library.options import Options
from watchband.core import params
from watchband.core.duration import DAY, MINUTE
from watchband.core.kinds import Duration, FilePath, Group, ListOf
from watchband.core.levels import LEVELS
from watchband.core.matcher import Selector
from watchband.core.params import Choice, Flag, Integer, Maybe, Real, Text, param
from watchband.core.series import SeriesKey
from watchband.pipeline import DEFAULT_DETECTOR
from watchband.pipeline.policy import Policy

if TYPE_CHECKING:
    from watchband.pipeline.bound import Bound
    from watchband.pipeline.watch import Watch

_POLICY = Policy()
_POLICY_ONLY = ("close_after", "close_level", "flap_hold", "cool_down", "max_points", "level_after", "missing")
_DECLARED = params.params_of(Policy)


def _policy(name: str) -> Any:
    declared = _DECLARED[name]
    return param(getattr(_POLICY, name), declared.constraint, declared.doc, unit=declared.unit)


@dataclass(frozen=True)
class WatchSettings:
    """One watch. The keys are the flags of ``watchband detect``, and what a service needs besides."""

    match: tuple[str, ...] = param(
        ("*",), ListOf(Text('a selector such as cpu{env="prod"}'), 1), "Series by name and labels; any of a list."
    )
    detector: str = param(DEFAULT_DETECTOR, Text("NAME or NAME:key=value,…"), "What judges.")
    join: tuple[str, ...] = param(
        (), ListOf(Text("the name of a metric")), "Metrics of an entity that are judged together; the first leads."
    )
    join_wait: int = param(
        2 * MINUTE, Duration(0), "So far behind a watermark a point leaves without the metrics that it lacks."
    )
    model: str | None = param(
        None, Maybe(FilePath()), "Instead: the folder of a champion that 'watchband train' wrote."
    )
    budget: str | None = param(None, Maybe(Text("alerts a period, 1/week")), "Alerts you can take, per series.")
    cutoff: float | None = param(None, Maybe(Real(0, low_open=True)), "Instead: anomalous above this score.")
    sigma: str | None = param(None, Maybe(Text("K[,train=N][,robust]")), "Instead: mean + K deviations of scores.")
    contamination: float | None = param(None, Maybe(Real(0, 0.5, True)), "Instead: the strangest share of points.")
    width: float | None = param(None, Maybe(Real(0, low_open=True)), "Instead: band of K scale units.")
    direction: str = _policy("direction")
    range: str | None = param(None, Maybe(Text("LOW:HIGH, 0:100 or 0:")), "Logical range; outside it is a finding.")
    min_deviation: float = _policy("min_deviation")
    min_deviation_relative: float = _policy("min_deviation_relative")
    min_count: float | None = _policy("min_count")
    consecutive: int = _policy("consecutive")
    m_of_n: str | None = param(None, Maybe(Text("M/N, for example 3/5")), "M of the last N points open an alert.")
    close_after: int = _policy("close_after")
    close_level: float = _policy("close_level")
    flap_hold: int = _policy("flap_hold")
    cool_down: int = _policy("cool_down")
    max_points: int | None = _policy("max_points")
    level_after: int = _policy("level_after")
    missing: str = _policy("missing")
    interval: str | None = param(None, Maybe(Text("a duration such as 1m")), "Distance of two readings; else learned.")
    gap: str = param("ignore", Text("ignore, zero, fixed:V, previous, linear or model"), "What stands in for a gap.")
    resample: str | None = param(None, Maybe(Text("a duration such as 5m")), "Gather readings in buckets this wide.")
    aggregate: str = param("mean", Choice(("mean", "sum", "max", "last")), "What a bucket says of its readings.")
    counter: bool | None = param(
        None,
        Maybe(Flag()),
        "Readings only count up: turn them into rates per second. Omitted: those whose names say so.",
    )
    timezone: str = param("UTC", Text("an IANA time zone"), "Of seasons, holidays and messages.")
    holidays: str | None = param(None, Maybe(Text("a country such as US or DE-BY")), "Whose holidays count.")
    exclude: tuple[str, ...] = param((), ListOf(Text("FROM/TO")), "Spans that are judged but not learned.")
    route: tuple[str, ...] | None = param(
        None, Maybe(ListOf(Text("the name of a sink"))), "Sinks that are told; omitted: all, empty: none."
    )
    tell_after: int = param(
        75, Integer(0, 10_000), "Points of a series from which alerts of a budget are told.", unit="points"
    )
    priority: int = param(100, Integer(0, 1000), "Where memory is short, series of low priority go first.")
    weight: float = param(1.0, Real(0, low_open=True), "Factor on the score that severity is read from.")
    no_data: bool = param(True, Flag(), "A series that stops reporting is an alert of its own kind.")
    stuck: bool = param(True, Flag(), "A value that no longer moves is an alert, unless that is usual.")

    drift: bool | None = param(
        None, Maybe(Flag()), "Whether drift of its models is watched; omitted: yes, but for the light detectors."
    )
    drift_every: int = param(DAY, Duration(MINUTE), "Drift is judged once in this time; a whole number of seasons.")
    drift_alert: bool = param(False, Flag(), "Whether drift opens alerts, not only the page and metrics.")
    breach: BreachSettings | None = param(
        None, Maybe(Group(BreachSettings)), "Tell before a threshold is reached; see 'Forecast'."
    )
    retrain: RetrainSettings | None = param(
        None, Maybe(Group(RetrainSettings)), "When it gets a challenger, and by which rule; see 'Retraining'."
    )

    def __post_init__(self) -> None:
        params.check(self)
        if self.model is not None:
            self._take_champion(self.model)
        _ = self.selectors
        _ = self.options.watch("check")
        _ = self.options.excluded()

    def _take_champion(self, folder: str) -> None:
        """What the model says where nothing is said here: detector, rule, policy, how readings become points."""
        from watchband.apps.library.training.model import load_model, options_with

        names = [f.name for f in dataclasses.fields(Options)]
        given = {name: getattr(self, name) for name in names} | {"counter": bool(self.counter)}
        model = load_model(folder)
        if self.detector == model.text:
            # These settings came of others that were told already.
            given["detector"] = DEFAULT_DETECTOR
        found = options_with(model, given)
        for name in names:
            if name not in ("detector", "counter", "exclude"):
                value = getattr(found, name)
                object.__setattr__(self, name, str(value) if name == "sigma" and value is not None else value)
        if found.counter:
            object.__setattr__(self, "counter", True)
        object.__setattr__(self, "detector", model.text)

    @cached_property
    def selectors(self) -> tuple[Selector, ...]:
        """The selectors of ``match``."""
        return tuple(map(Selector, self.match))

    def matches(self, key: SeriesKey) -> bool:
        """Whether a series belongs to this watch; one whose values are names only where its metric is named."""
        if not self.columns:
            return any(s.matches(key) and (key.metric not in LEVELS or key.metric in str(s)) for s in self.selectors)
        # The entity is chosen, by any of its metrics.
        together = [SeriesKey(name, key.labels) for name in self.columns] if key.metric in self.columns else ()
        return any(s.matches(one) for one in together for s in self.selectors)

    def shows(self, key: SeriesKey) -> bool:
        """Whether this watch has results under a name: of metrics that are judged together under the leading one."""
        return self.matches(key) and (not self.columns or key.metric == self.columns[0])

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The metrics that are judged together; none where every series is by itself."""
        join = self.options.watch("check").join
        return () if join is None else join.columns

    @cached_property
    def options(self) -> Options:
        """What ``detect`` would be told."""
        given = {f.name: getattr(self, f.name) for f in dataclasses.fields(Options)} | {"counter": bool(self.counter)}
        return Options(**given)

    def watch(self, name: str) -> Watch:
        """The fold that all this amounts to.

        Raises
        ------
        ConfigError
            Settings that exclude each other, or that a detector does not take.
        """
        from watchband.pipeline.drift import Drift
        from watchband.pipeline.pulse import Pulse

        found = self.options.watch(name)
        policy = dataclasses.replace(found.policy, **{key: getattr(self, key) for key in _POLICY_ONLY})
        # Also where neither is told: what is missing, zero or stuck is counted.
        pulse = Pulse(**({} if self.no_data else {"missed": 0}), **({} if self.stuck else {"equal": 0}))
        prepare = dataclasses.replace(found.prepare, by_name=self.counter is None and found.join is None)
        light = getattr(found.detector, "tier", "full") == "light"
        drift = Drift(every_ns=self.drift_every, alert=self.drift_alert)
        wanted = not light if self.drift is None else self.drift
        join = None if found.join is None else dataclasses.replace(found.join, wait_ns=self.join_wait)
        return dataclasses.replace(
            found,
            join=join,
            policy=policy,
            pulse=pulse,
            prepare=prepare,
            weight=self.weight,
            drift=drift if wanted else None,
            breach=None if self.breach is None else self.breach.fold(),
        )

    def as_model(self, name: str, settings: str) -> Watch:
        """The fold with what a model has otherwise, as JSON of these settings; empty: as it is written here.

        Raises
        ------
        ConfigError
            There are no such settings, or they cannot be.
        """
        # What a trained model of the watch says stands in these settings already.
        made = dataclasses.replace(self, **{"model": None, **json.loads(settings)}) if settings else self
        return made.watch(name)

    def bound(self, name: str) -> Bound:
        """The watch with its series and sinks, as a runner takes it."""
        from watchband.pipeline.bound import Bound

        return Bound(
            self.watch(name),
            takes=self.matches,
            selector=" or ".join(self.match),
            sinks=self.route,
            excluded=tuple(self.options.excluded()),
            priority=self.priority,
            tell_after=self.tell_after,
            makes=partial(self.as_model, name),
        )

    @property
    def rule_text(self) -> str:
        """The decision rule as one text."""
        return str(self.options.rule())
