"""The service brings what it acknowledged to the archive, and holds on to it until then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.adapters.archives import at, held, readings
from tests.pipeline.test_retention import Now
from watchband.adapters.archive.archive import ObjectArchive
from watchband.adapters.archive.restore import restore
from watchband.adapters.sources.files import open_table
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.config.config import read_text
from watchband.apps.service.archiving import archivist_of
from watchband.apps.service.service import Service
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import ConfigError, TransientError
from watchband.core.ports import Readings, Store
from watchband.core.series import SeriesKey

START = 20_000 * DAY
KEYS = [SeriesKey("cpu", {"host": h}) for h in "ab"]
CONFIG = """
sources: {{push: {{kind: push}}}}
watches: {{w: {{match: cpu, detector: ewma}}}}
store: {{kind: sqlite, path: {path}}}
archive: {{address: 'file://{path}/far/', every: 10m, tidy: 1h}}
"""


def pushed(service: Service, first: int, count: int) -> None:
    """Readings a minute each, fifty an entry, with a spike."""
    random = np.random.default_rng(3)
    whole = 10 + random.normal(0, 0.1, (2, 4000)).cumsum(axis=1) / 50
    whole[0, 700] += 50
    for start in range(first, first + count, 50):
        times = START + (start + np.arange(50)) * MINUTE
        some = [Readings(key, times, whole[n, start : start + 50].copy()) for n, key in enumerate(KEYS)]
        service.offer("push", some).result(30.0)


def served(path: Path, now: int, work: object = None) -> Service:
    service = Service(read_text(CONFIG.format(path=path), "test"), clock=Now(now))
    service.start()
    return service


def scores(service: Service) -> list[bytes]:
    service.look(lambda: None)
    assert service.scores is not None
    found = service.scores.read_many("w", KEYS, 0, 2**62)
    return [found[key].anomaly_score.tobytes() + found[key].yhat.tobytes() for key in KEYS]


def test_a_service_archives_and_a_restored_one_goes_on_with_equal_scores(tmp_path: Path) -> None:
    now = START + 3 * DAY
    one = served(tmp_path / "one", now)
    pushed(one, 0, 1000)
    archivist = one.keeper.archivist
    assert archivist is not None
    assert archivist.held("main") == 0
    assert archivist.tick()
    assert not archivist.tick(), "not before it is due"
    assert archivist.held("main") == one.store.head("main") > 10
    assert one.store.alerts()
    address = f"file://{tmp_path}/one/far/"
    far = at(address)
    assert sum(p.rows for p in far.parts("alerts")) == len(one.store.alerts())
    back = SqliteStore(tmp_path / "two")
    restore(far, back)
    back.close()
    two = served(tmp_path / "two", now)
    for service in (one, two):
        pushed(service, 1000, 500)
    assert {a.id for a in one.store.alerts()} == {a.id for a in two.store.alerts()}
    wanted = [s[-4000:] for s in scores(one)]
    assert [s[-4000:] for s in scores(two)] == wanted
    for service in (one, two):
        service.stop()


def test_scores_of_days_that_are_over_are_archived_once(tmp_path: Path) -> None:
    service = served(tmp_path / "one", START + 3 * DAY + 2 * HOUR)
    pushed(service, 0, 3000)
    service.look(lambda: None)
    assert service.scores is not None
    service.scores.flush()
    archivist = service.keeper.archivist
    assert archivist is not None
    assert archivist.tick()
    parts = archivist.archive.parts("results")
    assert {p.date for p in parts} == {"2024-10-04", "2024-10-05", "2024-10-06"}
    assert sum(p.rows for p in parts) == 6000
    before = {p.key for p in parts}
    archivist._due = 0
    assert archivist.tick()
    assert {p.key for p in archivist.archive.parts("results")} == before
    with open_table(f"file://{tmp_path}/one/far/?since=2024-10-05") as table:
        assert sum(map(len, table.batches())) == 6000 - 2 * 24 * 60
        assert {str(key) for key in table.keys} == {str(key) for key in KEYS}
    service.stop()


def test_a_failure_is_told_and_tried_again_and_nothing_leaves_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Store = MemoryStore()
    config = read_text(CONFIG.format(path=tmp_path), "test")
    clock, leads = Now(START), [False]
    archivist = archivist_of(config, store, clock, lambda: leads[0])
    assert archivist is not None
    assert not archivist.tick(), "another process leads"
    leads[0] = True

    def failing(*_: object, **__: object) -> None:
        raise TransientError("The bucket is on fire.")

    monkeypatch.setattr(ObjectArchive, "put", failing)
    from tests.adapters.archives import fill

    fill(store, range(3))
    assert archivist.tick()
    assert archivist.archived.trouble == "The bucket is on fire."
    assert archivist.held("main") == 0
    monkeypatch.undo()
    clock.at += 4 * MINUTE
    assert not archivist.tick()
    clock.at += HOUR
    assert archivist.tick()
    assert (archivist.archived.trouble, archivist.held("main")) == ("", 3)
    assert held(archivist.archive) == readings(store)


def test_an_address_that_is_no_folder() -> None:
    with pytest.raises(ConfigError, match="folder"):
        read_text("archive: {address: 's3://bucket/{date}/'}", "test")
    assert read_text("archive: {every: 5m}", "test").archive.address is None
