"""Priming: a model that is about to be a challenger learns from the log as it is kept, but not from what was no normal.

It leaves out what the watch leaves out (excluded ranges, windows that mute or do not learn) and the stretches that the
watch itself held back: an outage that nobody learned must not become normal by learning anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from watchband.core.alert import Alert
from watchband.core.duration import DAY
from watchband.core.events import WindowOpened
from watchband.core.ports import Store
from watchband.pipeline.bound import END, Bound, Lane
from watchband.pipeline.learned import instate
from watchband.pipeline.ledger import JUDGED, Ledger
from watchband.pipeline.lineage import Lineage
from watchband.pipeline.watch_state import WatchState
from watchband.pipeline.windows import Windows

HOLD = DAY
"""What lasts longer is no outage but a level, see the promises in the architecture."""
SPANS_MAX = 400
NEAR = 1000
"""Entries that the engine folds itself when a model joins."""

Span = tuple[str, int, int]
"""A series, and from when to when (ns UTC) nothing of it is learned."""


def held_spans(alerts: Iterable[Alert], now: int, spared: Callable[[str], bool] = lambda alert: False) -> list[Span]:
    """The stretches that a watch held back: its alerts, but for levels that became normal or have lasted for long.

    Parameters
    ----------
    alerts : iterable of Alert
        Of the watch.
    now : int
        Event time up to which open ones last, ns UTC.
    spared : callable
        Whether people said of the alert of an id that it was none.
    """
    found = []
    for alert in alerts:
        end = now if alert.closed is None else alert.closed
        if alert.kind in JUDGED and not alert.adopted and end - alert.opened < HOLD and not spared(alert.id):
            found.append((str(alert.series), alert.opened, end + 1))
    return found[-SPANS_MAX:]


def prime(
    bound: Bound,
    store: Store,
    shard: str,
    *,
    windows: Sequence[WindowOpened] = (),
    held: Sequence[Span] = (),
    since: int = 0,
    progress: Callable[[int, int], object] = lambda done, whole: None,
) -> Lane:
    """A model that has judged the kept log from ``since`` (ns UTC) on; near its end when this returns.

    May be called in a thread of its own, which is its use.

    Parameters
    ----------
    bound : Bound
        The model in shadow.
    store, shard : Store, str
        Whose log.
    windows : sequence of WindowOpened
        Those that its watch knows.
    held : sequence of (str, int, int)
        Stretches of series that are not learned besides.
    progress : callable
        Told how many entries of how many are done; what it raises ends the work.
    """
    lane = Lane(bound)
    state = lane.state
    marks = [WindowOpened(f"held {i}", "no_learn", *span[1:], span[0]) for i, span in enumerate(held[-SPANS_MAX:])]
    state.upstream.windows = Windows([*windows, *marks])
    state.ledger = Ledger(since=END)
    head, first = store.head(shard), 0
    for entry in store.log(shard, 0):
        first = first or entry.sequence
        last = max((int(r.times.max()) for r in entry.readings if len(r.times)), default=None)
        if not state.keys and (last is None or last < since):
            lane.sequence = entry.sequence
            continue
        lane.fold(entry)
        progress(entry.sequence - first + 1, head - first + 1)
    return lane


def follow(lane: Lane, store: Store, shard: str) -> int:
    """Fold what came meanwhile; how many entries that was."""
    before = lane.sequence
    for entry in store.log(shard, before):
        lane.fold(entry)
    return lane.sequence - before


def join(lane: Lane, watch: WatchState, *, keeps: Sequence[str] = ()) -> None:
    """Make a model that was primed one that stands beside its watch: behind the same entry, of the same series.

    Parameters
    ----------
    lane : Lane
        What ``prime`` gave, behind the entry that the watch stands behind.
    watch : WatchState
        The watch's.
    keeps : sequence of str
        Stages that it takes from the watch as they are, instead of what it learned.
    """
    state = lane.state
    state.upstream.windows = Windows(watch.upstream.windows.events())
    state.upstream.shed = set(watch.upstream.shed)
    state.upstream.lineage = Lineage()
    state.drop([key for key in state.keys if key not in watch.rows])
    if keeps:
        instate(state, watch, lane.bound.watch, keeps)
    times = watch.prepare.last_time
    said = state.ledger or Ledger()
    state.ledger = Ledger(int(times.max()) + 1 if len(times) else 0, said.alerts, first=said.first)
    lane.lost = False
