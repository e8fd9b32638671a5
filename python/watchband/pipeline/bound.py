"""A watch bound to its series and sinks, and its state over one shard's log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np

from watchband.core.alert import Alert
from watchband.core.errors import ConfigError, StateMismatchError
from watchband.core.events import ModelEvent, ModelPromoted, SeriesExpired, StateReverted
from watchband.core.ports import Commit, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.excluded import Span
from watchband.pipeline.folding import END
from watchband.pipeline.learned import instate, revert
from watchband.pipeline.ledger import NEVER, Ledger
from watchband.pipeline.lineage import Lineage, Model, fold_name
from watchband.pipeline.marks import Marker
from watchband.pipeline.results import Results
from watchband.pipeline.watch import Watch
from watchband.pipeline.watch_state import WatchState, combined, settings_of

__all__ = ["END", "Ahead", "Bound", "Lane", "every_series", "last_versions"]

SAVE_SHARE = 10.0
"""A snapshot may cost one part in so many of what it saves."""


def every_series(key: SeriesKey) -> bool:
    """Takes every series."""
    return True


@dataclass(frozen=True)
class Bound:
    """A watch, which series it takes, and who is told.

    Parameters
    ----------
    watch : Watch
        The fold; its name is unique within an engine.
    takes : callable, default every series
        Whether a series belongs to it. ``selector`` names the same choice.
    selector : str, default ``"*"``
        Part of the fingerprint: another choice of series is another fold.
    sinks : sequence of str, optional
        Names of the sinks that are told; None: all that the runner has.
    excluded : sequence of (int, int)
        Ranges of time that are judged but not learned.
    tell_after : int, default 0
        Points of a series from which alerts of a budget are told, see ``pipeline.early``.
    priority : int, default 100
        Where there is no room for all, series of low priority go first; see ``pipeline.admission``.
    makes : callable, optional
        The watch as another model has it, from the settings of that (``lineage.Model``); empty ones are its own.
    model, base, fold : str
        Of another model: its settings, the fingerprint of the watch as configured; in shadow the name of its fold.
    """

    watch: Watch
    takes: Callable[[SeriesKey], bool] = every_series
    selector: str = "*"
    sinks: Sequence[str] | None = None
    excluded: Sequence[Span] = ()
    priority: int = 100
    tell_after: int = 0
    makes: Callable[[str], Watch] | None = field(default=None, compare=False, repr=False)
    model: str = ""
    base: str = ""
    fold: str = ""

    @property
    def name(self) -> str:
        """The watch's name; in shadow that of its fold."""
        return self.fold or self.watch.name

    @property
    def fingerprint(self) -> str:
        """Equal where a state of the one may go on under the other."""
        return combined([self.base or self.watch.fingerprint, self.selector, repr(tuple(self.excluded))])

    def as_model(self, settings: str) -> Bound:
        """The same with another model.

        Raises
        ------
        ConfigError
            No watch can be made of these settings.
        """
        if settings == self.model or self.fold:
            return self
        if self.makes is None:
            raise ConfigError(f"The watch {self.name!r} was made without a way to other models than its own.")
        return replace(self, watch=self.makes(settings), model=settings, base=self.base or self.watch.fingerprint)

    def shadow(self, model: Model) -> Bound:
        """A model of this watch in shadow."""
        return replace(self.as_model(model.settings), fold=fold_name(self.name, model.number), sinks=())

    def load(self, data: bytes) -> WatchState:
        """Read back a state of the watch, whichever of its models judged.

        Raises
        ------
        StateError
            The bytes are damaged, or belong to other parameters.
        ConfigError
            They belong to a model that is no longer what it was.
        """
        settings = self.model if self.fold else settings_of(data)
        bound = self.as_model(settings)
        try:
            return bound.watch.load(data)
        except StateMismatchError as error:
            if not settings:
                raise
            raise ConfigError(
                f"The model {settings} of the watch {self.name!r} is no longer what it was: {error}"
            ) from error


class Lane:
    """A bound watch on its way along a log: the state, and the entry it stands behind.

    Parameters
    ----------
    bound : Bound
        What judges.
    state : WatchState
        From ``watch.start`` or a snapshot.
    sequence : int, default 0
        The last entry that was folded.

    Attributes
    ----------
    points, seconds : int, float
        What was folded since the last snapshot, and how long that took: what a restart has before it.
    past : callable, optional
        The state behind an earlier entry, for events that revert to it; see ``reverting.lane_of``.
    rival : callable, optional
        The state of one of its models in shadow behind an entry, for events that promote it; see there too.
    demoted : (int, int, WatchState) or None
        The last model that another took the place of: its number, the entry that its state stands behind, and that.
    lost : bool
        It could not go back where the log says so, because what it needs for that is no longer kept.
    saved, save_seconds : int, float
        The entry that the last snapshot stands behind, and how long writing it took.
    """

    def __init__(self, bound: Bound, state: WatchState | None = None, sequence: int = 0) -> None:
        self.bound = bound if state is None else bound.as_model(state.upstream.lineage.champion.settings)
        self.state, self.sequence = self.bound.watch.start() if state is None else state, sequence
        self.points, self.saved = 0, sequence
        self.past: Callable[[int], WatchState | None] | None = None
        self.rival: Callable[[Model, int], WatchState | None] | None = None
        self.demoted: tuple[int, int, WatchState] | None = None
        self.lost = False
        self.seconds = self.save_seconds = 0.0
        self.marker = Marker()
        self._taken: dict[SeriesKey, bool] = {}
        self._asked: list[SeriesKey] = []
        self._chosen: list[bool] = []
        self._whole = True

    def fold(self, entry: Commit) -> Results:
        """Move on over one entry; all that live and replay have in common.

        Should it raise, the state may stand between two stages: throw the lane away.
        """
        began = time.perf_counter()
        self._go_back(entry)
        self._change_models(entry)
        readings = self._mine(entry.readings)
        results = self.bound.watch.fold(self.state, readings, entry.events, excluded=self.bound.excluded)
        if any(isinstance(e, SeriesExpired) for e in entry.events):
            # Rows have other numbers; and who comes again is asked again.
            self.marker, self._taken, self._asked, self._whole = Marker(), {}, [], True
        if self.state.ledger is not None:
            self.state.ledger.take(results.alerts, first_opinion(results))
        self.sequence = entry.sequence
        self.points += sum(len(r.times) for r in readings)
        self.seconds += time.perf_counter() - began
        return results

    def costs(self, seconds: float) -> bool:
        """Whether folding what has no snapshot again takes so long, and writing one but a tenth; always, for 0."""
        return not seconds or self.seconds >= max(seconds, SAVE_SHARE * self.save_seconds)

    def _go_back(self, entry: Commit) -> None:
        for event in entry.events:
            if not isinstance(event, StateReverted) or self.past is None or event.watch != self.bound.name:
                continue
            if event.fingerprint == self.bound.fingerprint:
                then = self.past(event.sequence)
                if then is not None:
                    revert(self.state, then, event.series)
                self.lost |= then is None

    def _change_models(self, entry: Commit) -> None:
        for event in entry.events:
            if not isinstance(event, ModelEvent) or event.watch != self.bound.name:
                continue
            if event.fingerprint != self.bound.fingerprint:
                continue
            lineage = self.state.upstream.lineage
            if isinstance(event, ModelPromoted) and (model := lineage.shadow(event.number)) is not None:
                self._promote(lineage.champion, model, event.time, entry.sequence - 1)
            self.state.upstream.lineage = lineage.after(event)

    def _promote(self, old: Model, new: Model, time: int, behind: int) -> None:
        other = self.rival(new, behind) if self.rival is not None else None
        self.lost |= other is None
        before = self.state.copy()
        before.upstream.lineage, before.ledger = Lineage(), Ledger(time)
        self.demoted = old.number, behind, before
        self.bound = self.bound.as_model(new.settings)
        instate(self.state, other, self.bound.watch)
        self.marker = Marker()

    def rebind(self, bound: Bound) -> None:
        """Go on under another bound watch of the same fingerprint."""
        self.bound = bound = bound.as_model(self.state.upstream.lineage.champion.settings)
        bound.watch.take_over(self.state)

    def _mine(self, readings: Sequence[Readings]) -> Sequence[Readings]:
        keys = [r.key for r in readings]
        # Sources give the same series in the same order again and again: then one comparison says all.
        if keys != self._asked:
            taken = self._taken
            for key in keys:
                if key not in taken:
                    taken[key] = self.bound.takes(key)
            self._asked, self._chosen = keys, [taken[key] for key in keys]
            self._whole = all(self._chosen)
        return readings if self._whole else list(compress(readings, self._chosen))


def first_opinion(results: Results) -> int:
    """Event time (ns UTC) of the earliest point that was judged; ``ledger.NEVER`` where none was."""
    judged = results.time[~np.isnan(results.anomaly_score)]
    return int(judged.min()) if len(judged) else NEVER


@dataclass
class Ahead:
    """A watch that has folded the log by itself, up to where it stood then, and what it said of it."""

    lane: Lane
    alerts: list[list[Alert]] = field(default_factory=list)

    def follow(self, log: Iterable[Commit], decided: int = 0) -> None:
        """Fold entries; the alerts of those behind ``decided`` are kept."""
        for entry in log:
            results = self.lane.fold(entry)
            if entry.sequence > decided:
                self.alerts.append(results.alerts)


def last_versions(batches: Sequence[Sequence[Alert]]) -> list[Alert]:
    """The last version of every alert, in the order in which they came up."""
    found: dict[str, Alert] = {}
    for alerts in batches:
        found.update((alert.id, alert) for alert in alerts)
    return list(found.values())


def check_names(bounds: Sequence[Bound]) -> None:
    """Raise ConfigError where there is no watch, or two of one name."""
    if not bounds or len({b.name for b in bounds}) < len(bounds):
        got = ", ".join(b.name for b in bounds) or "none. In a configuration, a start is watches: {all: {match: '*'}}"
        raise ConfigError(f"It takes at least one watch, and different names. Got {got}.")
