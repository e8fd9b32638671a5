"""What every store keeps of alerts and of the notices in its outbox: a part of the checks of a store."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import replace

from watchband.core.alert import Alert, alert_id
from watchband.core.keeping import Trim
from watchband.core.ports import Commit, FoldRecord, Store
from watchband.core.series import SeriesKey

Make = Callable[[], Store]
Reopen = Callable[[Store], Store]
Check = Callable[[Make, Reopen], None]

KEYS = (SeriesKey("cpu", {"host": "a"}), SeriesKey('odd "name"{\\', {"λ": "ü\n"}))
NAN = float("nan")


def an_alert(opened: int = 5, **changes: object) -> Alert:
    """An alert of the watch ``w``."""
    made = Alert(
        id=alert_id(KEYS[0], "w", opened),
        series=KEYS[0],
        watch="w",
        detector="d",
        kind="value",
        severity="info",
        opened=opened,
        decided=opened,
        closed=None,
        peak_time=opened,
        value=9.0,
        expected=1.0,
        lower=0.0,
        upper=2.0,
        widths=3.5,
        direction="above",
        anomaly_score=1.2,
        confidence=1.0,
        points=1,
        reason="",
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def _commit(sequence: int, shard: str = "s", *alerts: Alert, sinks: Sequence[str] = ("x",)) -> Commit:
    return Commit(shard, sequence, alerts=alerts, routes={"w": sinks})


def check_news(make: Make, reopen: Reopen) -> None:
    """News goes to the sinks of its route, once each; what is no news is kept and told to nobody."""
    store = make()
    store.commit(_commit(1, "s", an_alert(), sinks=["x", "y"]))
    assert [(n.id, n.sink) for n in store.outbox(0)] == [(f"{an_alert().id}-1", s) for s in ("x", "y")]
    store.delivered([n for n in store.outbox(0) if n.sink == "x"])
    store = reopen(store)
    assert [n.sink for n in store.outbox(0)] == ["y"]
    store.commit(_commit(2, "s", an_alert(points=2), sinks=["x"]))
    assert len(store.outbox(0)) == 1, "a growing count is no news"
    assert [a.points for a in store.alerts()] == [2]
    worse = an_alert(points=3, severity="warning", widths=NAN)
    store.commit(_commit(3, "s", worse, sinks=["x"]))
    store = reopen(store)
    told = [n for n in store.outbox(0) if n.sink == "x"]
    assert [(n.id, n.revision) for n in told] == [(f"{worse.id}-2", 2)]
    assert told[0].alert.to_dict() == store.alerts()[0].to_dict() == worse.to_dict()
    store.commit(_commit(4, "s", an_alert(3), sinks=[]))
    store.commit(Commit("s", 5, alerts=[an_alert(4)]))
    assert len(store.outbox(0)) == 2, "no sink, no notice"
    assert [a.opened for a in store.alerts()] == [3, 4, 5], "alerts come in order of opening"
    store.close()


def check_past(make: Make, reopen: Reopen) -> None:
    """What a fold said of the past is told to nobody, nor is its end; that it goes on is."""
    store = make()
    store.adopt("s", "w", FoldRecord("abc", 0), [an_alert(1), an_alert(2)])
    assert (len(store.alerts()), list(store.outbox(0))) == (2, [])
    store = reopen(store)
    store.commit(_commit(1, "s", an_alert(1, closed=9), an_alert(2, severity="critical")))
    assert [(n.alert.opened, n.revision) for n in store.outbox(0)] == [(2, 1)]
    store.adopt("s", "w", FoldRecord("abc", 1), [an_alert(3)], sinks=["y"])
    assert [(n.alert.opened, n.sink) for n in store.outbox(0)] == [(2, "x"), (3, "y")]
    store.close()


def check_order(make: Make, reopen: Reopen) -> None:
    """Of one alert a sink is told in order: a later change waits until the earlier is done, however long."""
    store = make()
    store.commit(_commit(1, "s", an_alert(), an_alert(6)))
    store.commit(_commit(2, "s", an_alert(closed=9)))
    first, other = store.outbox(0)
    assert (first.revision, other.alert.opened) == (1, 6)
    store.postponed(first, 100, "refused")
    store = reopen(store)
    assert [n.alert.opened for n in store.outbox(99)] == [6], "its turn has not come"
    (again,) = (n for n in store.outbox(100) if n.alert.opened == 5)
    assert (again.tries, again.due, again.error, again.revision) == (1, 100, "refused", 1)
    store.delivered([again])
    assert [(n.alert.closed, n.revision, n.tries) for n in store.outbox(100) if n.alert.opened == 5] == [(9, 2, 0)]
    store.close()


def check_share(make: Make, reopen: Reopen) -> None:
    """Each sink may ask for its own share of the outbox, and for no more than it can carry."""
    store = make()
    store.commit(_commit(1, "s", an_alert(), sinks=["x", "y"]))
    store.commit(_commit(2, "s", an_alert(6), an_alert(7), sinks=["y"]))
    assert [n.sink for n in store.outbox(0, "x")] == ["x"], "another sink's notices"
    assert [n.alert.opened for n in store.outbox(0, "y")] == [5, 6, 7]
    assert [n.alert.opened for n in store.outbox(0, "y", 2)] == [5, 6], "more than was asked for, or not the oldest"
    assert list(store.outbox(0, "z", 2)) == []
    (first, *_) = store.outbox(0, "y")
    store.postponed(first, 100, "refused")
    assert [n.alert.opened for n in store.outbox(99, "y", 2)] == [6, 7], "what is not due takes up room"
    store.close()


def check_history(make: Make, reopen: Reopen) -> None:
    """Of the past nobody is told; what lasts into the present is told once it goes on, what ended in it never."""
    store = make()
    past = _commit(1, "s", an_alert(2), an_alert(3), an_alert(4, closed=5))
    store.commit(replace(past, routes=None))
    store.commit(replace(_commit(2, "s", an_alert(2, points=4)), routes=None))
    assert list(store.outbox(10)) == [], "somebody was told of the past"
    store = reopen(store)
    store.commit(_commit(3, "s", an_alert(2, points=7), an_alert(3, closed=9)))
    told = [(n.alert.opened, n.alert.points, n.revision) for n in store.outbox(10)]
    assert told == [(2, 7, 1)], "what goes on is told once, the end of what nobody heard of is not"
    store.commit(_commit(4, "s", an_alert(2, points=8)))
    assert len(store.outbox(10)) == 1, "a growing count alone is told again"
    store.close()


def check_early(make: Make, reopen: Reopen) -> None:
    """Of what is too early nobody is told until it goes on later; who has heard of an alert hears of its end."""
    store = make()
    first = _commit(1, "s", an_alert(2), an_alert(3), an_alert(4))
    store.commit(replace(first, early=[an_alert(2).id, an_alert(3).id]))
    assert [n.alert.opened for n in store.outbox(10)] == [4]
    store = reopen(store)
    assert len(store.alerts()) == 3, "what is told to nobody yet is kept all the same"
    both = [an_alert(n).id for n in (3, 4)]
    store.commit(
        replace(_commit(2, "s", an_alert(2, points=4), an_alert(3, closed=9), an_alert(4, closed=9)), early=both)
    )
    told = [(n.alert.opened, n.alert.closed, n.revision) for n in store.outbox(10)]
    assert (2, None, 1) in told, "it goes on with more history behind it"
    assert all(opened != 3 for opened, _, _ in told), "the end of what nobody heard of is told"
    store.delivered([n for n in store.outbox(10) if n.revision == 1])
    assert [(n.alert.opened, n.revision) for n in store.outbox(10)] == [(4, 2)]
    store.close()


def check_told(make: Make, reopen: Reopen) -> None:
    """What is open and known to people can be repeated to them; what nobody heard of, or what ended, cannot."""
    store = make()
    store.adopt("s", "w", FoldRecord("abc", 0), [an_alert(1)])
    store.commit(_commit(1, "s", an_alert(2), an_alert(3)))
    store.commit(_commit(2, "s", an_alert(2, closed=9), an_alert(3, severity="critical")))
    store.commit(_commit(3, "s", an_alert(3, severity="critical", points=7)))
    store = reopen(store)
    assert [(a.opened, a.points, revision) for a, revision in store.told()] == [(3, 7, 2)]
    store.close()


def check_dead(make: Make, reopen: Reopen) -> None:
    """What cannot be delivered is kept aside, blocks nobody, and can be sent after all."""
    store = make()
    store.commit(_commit(1, "s", an_alert()))
    store.commit(_commit(2, "s", an_alert(closed=9)))
    (first,) = store.outbox(0)
    store.dead(first, "gone")
    store = reopen(store)
    assert [(n.revision, n.tries, n.error) for n in store.dead_letters()] == [(1, 1, "gone")]
    assert [n.revision for n in store.outbox(0)] == [2], "a dead letter blocks the next"
    store.revive(store.dead_letters())
    assert (list(store.dead_letters()), sorted(n.revision for n in store.outbox(0))[0]) == ([], 1)
    store.close()


def check_old(make: Make, reopen: Reopen) -> None:
    """Alerts leave some time after they have ended; not those that are open, nor those that somebody is still told."""
    store = make()
    store.commit(_commit(1, "s", *(an_alert(n) for n in range(2, 7))))
    store.commit(
        _commit(2, "s", an_alert(2, closed=20), an_alert(3, closed=21), an_alert(4, closed=8), an_alert(5, closed=9))
    )
    waits = [n for n in store.outbox(99) if n.alert.opened == 4]
    store.delivered([n for n in store.outbox(99) if n.alert.opened != 4])
    store.delivered([n for n in store.outbox(99) if n.alert.opened != 4])
    assert store.trim(Trim()) == 0, "an alert left though nothing was to"
    assert store.trim(Trim(alerts_before=21)) == 2
    store = reopen(store)
    assert [a.opened for a in store.alerts()] == [3, 4, 6]
    for notice in [*waits, *(n for n in store.outbox(99) if n not in waits)]:
        store.delivered([notice])
    store.delivered(store.outbox(99))
    assert store.trim(Trim(alerts_before=2**62)) == 2
    assert [a.opened for a in store.alerts()] == [6]
    store.commit(_commit(3, "s", an_alert(2, closed=30)))
    assert [a.opened for a in store.alerts()] == [2, 6], "what left comes again as if it was new"
    store.close()


CHECKS: tuple[Check, ...] = (
    check_news,
    check_past,
    check_order,
    check_share,
    check_history,
    check_early,
    check_old,
    check_told,
    check_dead,
)
