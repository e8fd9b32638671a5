"""The keeper: states are written in time, retention is carried out, and what fails is said and tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apps.service.worlds import HandClock, batch, config, watch
from watchband.adapters.stores.sqlite.settings import SqliteSettings
from watchband.adapters.stores.tiers import Retention
from watchband.apps.service.keeper import retention_of
from watchband.apps.service.service import SHARD, Service
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import InvalidParameterError, TransientError
from watchband.testing.streams import START


def service(tmp_path: Path, **kept: int) -> tuple[Service, HandClock]:
    clock = HandClock(START + DAY)
    store = SqliteSettings(path=str(tmp_path / "data"), retention=Retention(**kept))
    made = Service(config(watches={"all": watch()}, store=store), clock=clock)  # type: ignore[arg-type]
    made.start()
    return made, clock


def test_states_are_written_and_old_readings_leave(tmp_path: Path) -> None:
    made, clock = service(tmp_path, raw=2 * DAY, hourly=30 * DAY)
    try:
        made.offer("push", batch(0, 300).readings).result(10)
        assert made.keeper.tick() == 0, "nothing is due"
        clock.time += HOUR
        assert made.keeper.tick() == 1, "a state an hour"
        assert made.store.states()[0].covered == made.store.head(SHARD)
        clock.time += 3 * DAY
        made.offer("push", batch(4 * 1440, 10).readings).result(10)
        assert made.keeper.tick() >= 2
        (file,) = made.store.archived()
        assert file.rows == 300
        assert (tmp_path / "data" / "archive" / file.name).stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / "data" / "archive").stat().st_mode & 0o077
        hours = next(iter(made.store.rollups(0, 2**62)))
        assert (len(hours), int(hours.count.sum())) == (5, 300)
        assert [len(e.readings[0].times) for e in made.store.log(SHARD, 0) if e.readings] == [10]
    finally:
        made.stop(10)


def test_a_state_is_written_early_where_a_restart_would_take_long(tmp_path: Path) -> None:
    made, _ = service(tmp_path)
    try:
        made.offer("push", batch(0, 300).readings).result(10)
        (lane,) = made.runner.live().lanes.values()
        assert 0 < lane.seconds < 5
        assert made.keeper.tick() == 0, "a restart would fold it in no time"
        lane.seconds = 6.0
        assert made.keeper.tick() == 1, "minutes after the start, and long before the hour"
        assert (lane.seconds, lane.saved) == (0.0, made.store.head(SHARD))
        assert made.store.states()[0].covered == lane.saved
        made.offer("push", batch(300, 1).readings).result(10)
        lane.seconds, lane.save_seconds = 6.0, 2.0
        assert made.keeper.tick() == 0, "writing would cost more than a tenth of what it saves"
        lane.seconds = 21.0
        assert made.keeper.tick() == 1
    finally:
        made.stop(10)


def test_what_a_restart_folds_again_counts_as_well(tmp_path: Path) -> None:
    made, _ = service(tmp_path)
    made.offer("push", batch(0, 300).readings).result(10)
    made.runner.drop()
    (lane,) = made.engine.call(made.runner.live).result(10).lanes.values()
    assert lane.saved == 0
    assert lane.seconds > 0
    made.stop(10)


def test_alerts_leave_long_after_they_ended(tmp_path: Path) -> None:
    made, clock = service(tmp_path, alerts=500 * DAY)
    try:
        made.offer("push", batch(0, 200, spike=150).readings).result(10)
        (alert,) = made.store.alerts()
        assert alert.closed is not None
        clock.time = alert.closed + 500 * DAY
        made.keeper.tick()
        assert list(made.store.alerts()) == [alert]
        clock.time += HOUR
        made.keeper.tick()
        assert not made.store.alerts()
    finally:
        made.stop(10)


def test_what_fails_is_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = service(tmp_path)
    try:
        assert made.keeper.retention
        calls = []

        def step() -> bool:
            calls.append(1)
            if len(calls) == 1:
                raise TransientError("the disk is full")
            return False

        monkeypatch.setattr(made.keeper.retention, "step", step)
        made.keeper.tick()
        assert made.keeper.trouble == "the disk is full"
        made.keeper.tick()
        assert made.keeper.trouble == ""
    finally:
        made.stop(10)


def test_limits_of_the_engine_hold_in_the_service(tmp_path: Path) -> None:
    found = config(watches={"all": watch()}, store=SqliteSettings(path=str(tmp_path / "data")))
    made = Service(found, clock=HandClock(START + DAY))
    made.start()
    try:
        assert made.runner.admission
        made.runner.admission.max_series = 2
        for name in ("a", "b", "c"):
            made.offer("push", batch(0, 5, name=name).readings).result(10)
        assert made.runner.admission.room.shed == 1
        assert {str(k) for lane in made.runner.live().lanes.values() for k in lane.state.keys} == {"a", "b"}
    finally:
        made.stop(10)


def test_settings_say_whether_there_is_an_archive(tmp_path: Path) -> None:
    clock = HandClock()
    for archive, expected in ((None, True), (0, False), (400 * DAY, True)):
        settings = SqliteSettings(path=str(tmp_path / str(archive)), retention=Retention(archive=archive))
        store = settings.open(clock=clock)
        job = retention_of(settings, store, clock, list)
        assert job
        assert ((job.archive is not None), job.archived) == (expected, archive or None)
        store.close()
    with pytest.raises(InvalidParameterError, match="must not be shorter"):
        Retention(raw=30 * DAY, hourly=20 * DAY)
