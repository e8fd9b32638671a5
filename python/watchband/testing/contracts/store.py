"""What every store keeps, as checks. ``check_store`` runs them all; authors of other stores run it on theirs.

Each check takes a function that makes an empty store and one that closes a store and opens what it left behind; a
store that keeps nothing gives itself back.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np

from watchband.core.access_keys import AccessKey
from watchband.core.acts import Act
from watchband.core.duration import HOUR
from watchband.core.errors import TransientError
from watchband.core.events import (
    ChallengerStarted,
    ModelPromoted,
    ModelRecord,
    ShadowEnded,
    WatermarkMoved,
    WindowOpened,
)
from watchband.core.keeping import SNAPSHOTS_KEPT, ArchiveFile, Rollups, Trim
from watchband.core.ports import Arrival, Commit, FoldRecord, Notice, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.folding import END
from watchband.testing.contracts import outbox
from watchband.testing.contracts.outbox import KEYS, NAN, Check, Make, Reopen, an_alert


def check_entries(make: Make, reopen: Reopen) -> None:
    """An entry comes back bit for bit, in order, and by copy."""
    store = make()
    times = np.array([3, 1, 2**62, -(2**62)], np.int64)
    values = np.array([1.5, NAN, -0.0, np.inf])
    events = (WatermarkMoved(7), WindowOpened("deploy", "mute", 1, 2))
    first = Commit(
        "s",
        1,
        [Readings(KEYS[0], times, values, "f"), Readings(KEYS[1], times[:1], values[:1], "g", Arrival.LATE)],
        events,
        {"f": "3"},
    )
    store.commit(first)
    store.commit(Commit("s", 2, [Readings(KEYS[1], times[:0], values[:0])], (), {"f": "4", "g": "1"}))
    kept = times.copy()
    times[:] = 0
    for _ in range(2):
        one, two = store.log("s", 0)
        assert [r.key for r in one.readings] == list(KEYS), "other series"
        given = [(r.source, r.arrival) for r in one.readings]
        assert given == [("f", Arrival.ON_TIME), ("g", Arrival.LATE)], "who gave them, or what became of them, is lost"
        assert one.readings[0].times.tobytes() == kept.tobytes(), "other times"
        assert one.readings[0].values.tobytes() == np.array([1.5, NAN, -0.0, np.inf]).tobytes(), "other values"
        assert (tuple(one.events), dict(one.positions)) == (events, {"f": "3"}), "other events or positions"
        assert (two.sequence, len(two.readings[0].times)) == (2, 0), "an empty slice is lost"
        one.readings[0].values[:] = 7.0
        store = reopen(store)
    assert dict(store.positions("s")) == {"f": "4", "g": "1"}, "positions are the last of each source"
    assert [dict(p) for p in store.passed("s", 0)] == [{"f": "3"}, {"f": "4", "g": "1"}], "positions entry by entry"
    assert [dict(p) for p in store.passed("s", 1)] == [{"f": "4", "g": "1"}], "positions begin behind 'after'"
    assert [c.sequence for c in store.log("s", 1)] == [2], "the log begins behind 'after'"
    assert store.head("s") == 2
    store.close()


def check_nothing(make: Make, reopen: Reopen) -> None:
    """What is not there is empty, and asking for it makes nothing."""
    store = make()
    assert (dict(store.positions("s")), store.head("s"), list(store.log("s", 0))) == ({}, 0, [])
    assert (store.fold("s", "w"), store.restore("s", "w")) == (None, None)
    assert [list(store.alerts()), list(store.outbox(0)), list(store.dead_letters())] == [[], [], []]
    stray = Notice(an_alert(), 1, "x")
    store.delivered([stray])
    store.postponed(stray, 1, "")
    store.dead(stray, "")
    store.revive([stray])
    store.forget("s", "w")
    assert [list(store.alerts()), list(store.outbox(2**62)), list(store.dead_letters())] == [[], [], []]
    store.close()


def check_lead(make: Make, reopen: Reopen) -> None:
    """A store that nobody else has is led at once, and again after it was closed."""
    store = make()
    assert store.lead(), "nobody else has it"
    store.commit(Commit("s", 1))
    store = reopen(store)
    assert store.lead(30.0), "who closed it let go of it"
    store.commit(Commit("s", 2))
    assert store.lead(), "a leader leads"
    store.close()


def check_turn(make: Make, reopen: Reopen) -> None:
    """An entry out of turn is refused and changes nothing; shards do not touch each other."""
    store = make()
    store.commit(Commit("s", 1, positions={"a": "1"}))
    for sequence in (0, 1, 3):
        try:
            store.commit(Commit("s", sequence, [Readings(KEYS[0], np.zeros(1, np.int64), np.zeros(1))], (), {"a": "2"}))
        except TransientError:
            continue
        raise AssertionError(f"entry {sequence} was taken behind entry 1")
    store.commit(Commit("t", 1, positions={"a": "9"}))
    store = reopen(store)
    assert (dict(store.positions("s")), store.head("s"), len(list(store.log("s", 0)))) == ({"a": "1"}, 1, 1)
    assert dict(store.positions("t")) == {"a": "9"}
    store.commit(Commit("s", 2))
    store.close()


def check_folds(make: Make, reopen: Reopen) -> None:
    """A fold's record follows the entries that it took part in; a snapshot is the last one."""
    store = make()
    store.commit(Commit("s", 1, folds=["w"]))
    assert store.fold("s", "w") is None, "a commit alone adopts no fold"
    store.adopt("s", "w", FoldRecord("abc", 1))
    store.adopt("s", "v", FoldRecord("def", 1))
    store.commit(Commit("s", 2, folds=["w"]))
    store.snapshot("s", "w", 1, b"old")
    store.snapshot("s", "w", 2, b"\x00new\xff")
    store.snapshot("s", "v", 1, b"")
    store = reopen(store)
    assert (store.fold("s", "w"), store.fold("s", "v")) == (FoldRecord("abc", 2), FoldRecord("def", 1))
    assert (store.restore("s", "w"), store.restore("s", "v")) == ((2, b"\x00new\xff"), (1, b""))
    assert (store.fold("t", "w"), store.restore("t", "w")) == (None, None), "another shard"
    store.forget("s", "w")
    assert (store.fold("s", "w"), store.restore("s", "w"), store.restore("s", "v")) == (None, None, (1, b""))
    store.close()


def check_many(make: Make, reopen: Reopen) -> None:
    """A log longer than any page, read while it grows."""
    store = make()
    for sequence in range(1, 201):
        store.commit(Commit("s", sequence, [Readings(KEYS[0], np.array([sequence]), np.array([0.5]))]))
    seen = []
    for entry in store.log("s", 50):
        seen.append(entry.sequence)
        if entry.sequence == 60:
            store.commit(Commit("s", 201))
    assert seen[:150] == list(range(51, 201)), "entries are missing or twice"
    store.close()


def check_snapshots(make: Make, reopen: Reopen) -> None:
    """The last few snapshots are kept and named; an earlier one takes the place of those behind it."""
    store = make()
    store.adopt("s", "w", FoldRecord("abc", 0))
    store.adopt("s", "v", FoldRecord("def", 0))
    for sequence in range(1, 6):
        store.commit(Commit("s", sequence, folds=["w"]))
        store.snapshot("s", "w", sequence, bytes([sequence]) * sequence)
    store = reopen(store)
    first, second = store.states()
    assert [(s.shard, s.name, s.fingerprint, s.decided) for s in (first, second)] == [
        ("s", "v", "def", 0),
        ("s", "w", "abc", 5),
    ]
    assert (first.snapshots, first.covered, second.covered) == ((), 0, 5)
    kept = [5, 4, 3][:SNAPSHOTS_KEPT]
    assert [(s.sequence, s.nbytes) for s in second.snapshots] == [(n, n) for n in kept], "not the last ones"
    assert store.restore("s", "w") == (5, b"\5" * 5)
    assert (store.restore("s", "w", 4), store.restore("s", "w", 2)) == ((4, b"\4" * 4), None)
    store.snapshot("s", "w", 4, b"again")
    store = reopen(store)
    assert [s.sequence for s in store.states()[1].snapshots][:2] == [4, 3], "a later one is in the way"
    assert store.restore("s", "w") == (4, b"again")
    store.forget("s", "w")
    assert [s.name for s in store.states()] == ["v"]
    store.close()


def check_series(make: Make, reopen: Reopen) -> None:
    """Every series is known with its first and last reading, its readings, and who gave it last."""
    store = make()
    one, two = (np.array(times, np.int64) for times in ([30, 10], [40]))
    store.commit(Commit("s", 1, [Readings(KEYS[0], one, np.ones(2), "f"), Readings(KEYS[1], two, np.ones(1), "f")]))
    assert {s.key: s.points for s in store.series()} == {KEYS[0]: 2, KEYS[1]: 1}
    store.commit(Commit("s", 2, [Readings(KEYS[0], two, np.ones(1), "g"), Readings(KEYS[1], two[:0], np.ones(0))]))
    for _ in range(2):
        known = {s.key: (s.source, s.first, s.last, s.points) for s in store.series()}
        assert known == {KEYS[0]: ("g", 10, 40, 3), KEYS[1]: ("f", 40, 40, 1)}, known
        store = reopen(store)
    store.close()


def check_marks(make: Make, reopen: Reopen) -> None:
    """What a watch marked comes back with the entry."""
    store = make()
    at, score = np.array([5, 9], np.int64), np.array([1.5, 2.5])
    marks = {
        ("anomaly", "w"): [Readings(KEYS[0], at, score), Readings(KEYS[1], at[:1], score[:1])],
        ("cutoff", "v"): [Readings(KEYS[1], at, score)],
    }
    store.commit(Commit("s", 1, marks=marks))  # type: ignore[arg-type]
    store.commit(Commit("s", 2))
    store = reopen(store)
    first, second = store.log("s", 0)
    found = {what: [(r.key, r.times.tolist(), r.values.tolist()) for r in some] for what, some in first.marks.items()}
    assert found == {
        ("anomaly", "w"): [(KEYS[0], [5, 9], [1.5, 2.5]), (KEYS[1], [5], [1.5])],
        ("cutoff", "v"): [(KEYS[1], [5, 9], [1.5, 2.5])],
    }
    assert not second.marks
    store.close()


def _hourly(count: int, low: float, high: float, hour: int = 0) -> Rollups:
    one, least, most = np.array([count], np.int64), np.array([low]), np.array([high])
    total = least + most if count else np.zeros(1)
    return Rollups(KEYS[:1], np.zeros(1, np.int32), np.array([hour * HOUR]), one, least, most, total, one * 0)


def check_trim(make: Make, reopen: Reopen) -> None:
    """Entries leave only as far as every fold has a snapshot, together with what stands for them; numbers go on."""
    store = make()
    store.adopt("s", "w", FoldRecord("abc", 0))
    for sequence in range(1, 6):
        store.commit(Commit("s", sequence, [Readings(KEYS[0], np.array([10 * sequence]), np.ones(1))], folds=["w"]))
    assert [store.expired("s", before) for before in (0, 10, 11, 50, 51)] == [0, 0, 1, 4, 5]
    store.snapshot("s", "w", 1, b"1")
    store.snapshot("s", "w", 3, b"3")
    rollups, file = _hourly(2, 1.0, 3.0), ArchiveFile("date=1970-01-01/a.parquet", "1970-01-01", 2, 100)
    try:
        store.trim(Trim("s", 4, rollups, [file]))
    except TransientError:
        pass
    else:
        raise AssertionError("entry 4 left, which the watch has no snapshot behind")
    assert not list(store.rollups(0, HOUR)), "something of a trim that was refused stayed"
    assert (list(store.archived()), len(list(store.log("s", 0)))) == ([], 5)
    assert store.trim(Trim("s", 2, rollups, [file])) == 2
    store = reopen(store)
    assert [e.sequence for e in store.log("s", 0)] == [3, 4, 5]
    assert (store.head("s"), store.expired("s", 31), list(store.archived())) == (5, 3, [file])
    assert [s.sequence for s in store.states()[0].snapshots] == [3], "a snapshot without the log behind it"
    assert [s.points for s in store.series()] == [5], "a series is forgotten with its readings"
    store.commit(Commit("s", 6))
    store.close()


def check_tiers(make: Make, reopen: Reopen) -> None:
    """Roll-ups of the same hour add up and expire; files replace files."""
    store = make()
    a, b = (ArchiveFile(f"date=1970-01-01/{name}.parquet", "1970-01-01", 2, 100) for name in "ab")
    store.trim(Trim("s", 0, _hourly(2, 1.0, 3.0), [a]))
    store.trim(Trim("s", 0, _hourly(1, 0.0, 2.0)))
    store.trim(Trim("s", 0, _hourly(0, NAN, NAN)))
    store.trim(Trim("s", 0, _hourly(5, 4.0, 4.0, hour=2)))
    store = reopen(store)
    found = Rollups.joined(list(store.rollups(0, 10 * HOUR)))
    assert list(found.keys) == [KEYS[0]]
    rows = [found.hour // HOUR, found.count, found.low, found.high]
    assert [c.tolist() for c in rows] == [[0, 2], [3, 5], [0.0, 4.0], [3.0, 4.0]]
    assert [len(r) for r in store.rollups(0, HOUR)] == [1]
    for since, until, hours in (
        (0, 10 * HOUR, [0, 2]),
        (1, 2 * HOUR + 1, [2]),
        (0, 2 * HOUR, [0]),
        (3 * HOUR, END, []),
    ):
        one = store.rolled(KEYS[0], since, until)
        assert (one.hour // HOUR).tolist() == hours, (since, until)
    assert list(one.keys) == [KEYS[0]]
    assert store.rolled(KEYS[0], 0, HOUR).total.tolist() == found.total[:1].tolist()
    assert not len(store.rolled(SeriesKey("never", {"seen": "by anybody"}), 0, END))
    assert store.trim(Trim(rollups_before=HOUR, files=[b], replaced=[a.name])) == 1
    store = reopen(store)
    assert [r.hour.tolist() for r in store.rollups(0, 10 * HOUR)] == [[2 * HOUR]]
    assert list(store.archived()) == [b]
    store.close()


def check_acts(make: Make, reopen: Reopen) -> None:
    """What people did keeps its order, its words and its numbers."""
    store = make()
    assert list(store.acts()) == []
    words = "a 'quoted' note; with \"marks\",\nlines and ünïcode \u2603"
    first = store.act(Act(5, "ann", "acknowledge", "alert-1"))
    second = store.act(Act(3, "bob", "note", "alert-1", words))
    third = store.act(Act(9, "ann", "snooze", "alert-2", until=2**62))
    assert [a.number for a in (first, second, third)] == [1, 2, 3]
    store = reopen(store)
    assert list(store.acts()) == [first, second, third], "an act is forgotten or another"
    assert list(store.acts(2)) == [third]
    assert store.act(Act(10, "bob", "reload")).number == 4
    store.close()


def check_models(make: Make, reopen: Reopen) -> None:
    """What happened to models is kept with its entry, in order, and stays when the log is shortened."""
    store = make()
    assert list(store.model_events()) == []
    started = ChallengerStarted("wätch", "f", 1, '{"detector":"ewma"}', 5, "cutoff", "ann", 'it\'s "drift"')
    promoted, ended = ModelPromoted("wätch", "f", 1, 7, True, "bob"), ShadowEnded("wätch", "f", 0, 9, "over")
    store.commit(Commit("s", 1, events=(WatermarkMoved(3), started)))
    store.commit(Commit("t", 1, events=(promoted, ended)))
    store.commit(Commit("s", 2))
    store.adopt("s", "watch", FoldRecord("f", 2))
    store.snapshot("s", "watch", 2, b"state")
    store.trim(Trim("s", 2))
    store = reopen(store)
    kept = [ModelRecord("s", 1, started), ModelRecord("t", 1, promoted), ModelRecord("t", 1, ended)]
    assert list(store.model_events()) == kept, "what happened to a model is forgotten or another"
    with contextlib.suppress(TransientError):
        store.commit(Commit("s", 2, events=(promoted,)))
    assert len(store.model_events()) == 3, "what was refused was kept"
    store.close()


def check_access_keys(make: Make, reopen: Reopen) -> None:
    """Keys keep what is known of them; one of the same id takes the place of what was; what is dropped is gone."""
    store = make()
    assert list(store.access_keys()) == []
    late = AccessKey("b", "ünïcode 'quoted'", "admin", "00" * 32, 9, "local")
    early = AccessKey("c", "bob", "viewer", "ff" * 32, 5, "ann", 2**62, 7, 2**62, "b")
    for key in (late, early):
        store.keep_access_key(key)
    store.keep_access_key(replace(late, revoked=11, used=10))
    store = reopen(store)
    assert list(store.access_keys()) == [early, replace(late, revoked=11, used=10)], "a key is forgotten or another"
    store.drop_access_keys(["c", "stray"])
    store.drop_access_keys([])
    store = reopen(store)
    assert [key.id for key in store.access_keys()] == ["b"]
    store.close()


CHECKS: tuple[Check, ...] = (
    check_entries,
    check_nothing,
    check_lead,
    check_turn,
    check_folds,
    *outbox.CHECKS,
    check_many,
    check_snapshots,
    check_series,
    check_marks,
    check_trim,
    check_tiers,
    check_acts,
    check_models,
    check_access_keys,
)


def check_store(make: Make, reopen: Reopen = lambda store: store) -> None:
    """Every check, each on an empty store.

    Raises
    ------
    AssertionError
        The first promise that is not kept.
    """
    for check in CHECKS:
        check(make, reopen)
