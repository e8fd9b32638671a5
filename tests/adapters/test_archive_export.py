"""Export: every acknowledged reading once, whatever ends the run and whoever runs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.adapters.archives import KEYS, START, Ended, at, fill, held, memory, readings, says
from tests.pipeline.test_retention import Now
from tests.servers.moto import KEYS as AWS
from tests.servers.moto import Moto
from watchband.adapters.archive import export as exporting
from watchband.adapters.archive.archive import ObjectArchive
from watchband.adapters.archive.compact import compact
from watchband.adapters.archive.export import Exporter, through
from watchband.adapters.archive.manifest import ROOT, Part
from watchband.adapters.archive.restore import restore
from watchband.adapters.objects.place import ChangedError
from watchband.adapters.stores.archive import FOLDER, ParquetArchive
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.library.archiving.call import tidy
from watchband.apps.library.archiving.local import left_before
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import ConfigError, DataError
from watchband.core.ports import Commit, Readings
from watchband.pipeline.retention import Retention

BUCKET = "archive-bucket"


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as server:
        yield server


@pytest.fixture(params=["bucket", "folder"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return f"file://{tmp_path}/far/"
    moto = request.getfixturevalue("moto")
    for name, value in {**AWS, "AWS_ENDPOINT_URL": moto.url}.items():
        monkeypatch.setenv(name, value)
    moto.reset()
    where = {"LocationConstraint": AWS["AWS_REGION"]}
    moto.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return f"s3://{BUCKET}/far/"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 20 entries: 48 hours are three."""
    monkeypatch.setattr(exporting, "STEP_ENTRIES", 20)


def objects(archive: ObjectArchive) -> dict[str, str]:
    return {entry.key: entry.etag for entry in archive.place.entries(archive.folder)}


@pytest.mark.usefixtures("steps")
def test_every_reading_comes_once_bit_for_bit_and_again_changes_nothing(address: str) -> None:
    store, archive = memory(), at(address)
    done = Exporter(archive, store).run()
    assert (done.entries, done.readings) == (48, len(readings(store)))
    assert held(archive) == readings(store)
    before = objects(archive)
    assert Exporter(archive, store).run().entries == 0
    assert objects(archive) == before
    fill(store, range(48, 60), 49)
    assert Exporter(archive, store).run().entries == 12
    assert held(archive) == readings(store)
    assert through(archive.manifest.root(), "main") == 60
    archive.close()


def whole(archive: ObjectArchive, wanted: list[Any], what: str) -> None:
    """Everything once, and nothing else but what counts once it was swept."""
    assert held(archive) == wanted, what
    archive.sweep(-(2**62))
    named = {archive.folder + p.key for d in ("readings", "entries", "marks") for p in archive.parts(d)}
    lists = {archive.folder + one.key for one in archive.manifest.root().lists.values()}
    assert set(objects(archive)) == named | lists | {archive.folder + ROOT}, what
    archive.close()


def test_an_export_that_is_ended_before_or_after_any_write_goes_on(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended at the n-th instant, run again, for every n there is."""
    monkeypatch.setattr(exporting, "STEP_ENTRIES", 3)
    far = address.startswith("s3:")
    store, n, ended = memory(range(3 if far else 6)), 0, True
    wanted = readings(store)
    while ended:
        # Over the network each second instant: the code is the same.
        n, ended = n + (2 if far else 1), False
        torn = at(f"{address}{n}/", dying=n)
        try:
            Exporter(torn, store).run()
        except Ended:
            ended = True
        torn.close()
        again = at(f"{address}{n}/")
        assert set(held(again)) <= set(wanted)
        assert len(held(again)) == len(set(held(again))), f"a reading twice, ended at {n}"
        Exporter(again, store).run()
        whole(again, wanted, f"ended at {n}")
    assert n > (8 if far else 24), "there were hardly any writes"


def test_a_compaction_that_is_ended_before_or_after_any_write_goes_on(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "STEP_ENTRIES", 2)
    far = address.startswith("s3:")
    store, n, ended = memory(range(4)), 0, True
    wanted = readings(store)
    while ended:
        n, ended = n + (11 if far else 2), False
        where = f"{address}{n}/"
        Exporter(at(where), store).run()
        torn = at(where, dying=n)
        try:
            tidy(torn)
            torn.sweep(-(2**62))
        except Ended:
            ended = True
        again = at(where)
        assert held(again) == wanted, f"ended at {n}"
        tidy(again)
        assert len(again.parts("readings")) == 1
        whole(again, wanted, f"ended at {n}")
    assert n > 15, "there were hardly any writes"


@pytest.mark.usefixtures("steps")
def test_two_exporters_and_a_compaction_race_and_nothing_is_lost_or_doubled(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = memory()
    first, second = at(address), at(address)
    commit, others = second.manifest.try_commit, [lambda: Exporter(first, store).run(), lambda: compact(first)]

    def raced(*given: Any) -> Any:
        # Between what the second has written and its change of the manifest, the first does all there is to do.
        if others:
            others.pop(0)()
        return commit(*given)

    monkeypatch.setattr(second.manifest, "try_commit", raced)
    done = Exporter(second, store).run()
    assert (done.raced, done.entries) == (1, 0)
    assert held(first) == readings(store)
    fill(store, range(48, 50), 49)
    assert Exporter(second, store).run().raced == 1
    assert held(first) == readings(store)
    stale = first.manifest.root()
    fill(store, range(50, 52), 51)
    Exporter(second, store).run()
    with pytest.raises(ChangedError):
        first.manifest.try_commit(stale, exporting.Change())
    for one in (first, second):
        one.close()


def test_days_are_gathered_sorted_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "STEP_ENTRIES", 5)
    store, archive = memory(), at(f"file://{tmp_path}/far/")
    Exporter(archive, store).run()
    done = compact(archive, rows_max=150)
    assert done.gathered > done.made > 2
    assert held(archive) == readings(store)
    rows = [
        (part.date, *row)
        for part in sorted(archive.parts("readings"), key=lambda p: (p.date, series_of(archive, p)))
        for table in archive.read(part, ("series", "time_ns", "entry", "place"))
        for row in zip(*(c.to_pylist() for c in table.columns), strict=True)
    ]
    assert rows == sorted(rows)
    assert all(p.rows <= 150 for p in archive.parts("readings"))
    with archive.open(archive.parts("readings")[0]) as file:
        group = file.metadata.row_group(0)
        told = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
        assert all(told[name].statistics.has_min_max for name in ("series", "time_ns", "value", "entry"))
        assert {column.compression for column in told.values()} == {"ZSTD"}
        assert told["value"].has_dictionary_page is False, "a dictionary takes all NaN for the same"
    assert compact(archive).partitions <= 2, "days that were cut are not gathered over and over"
    archive.close()


def series_of(archive: ObjectArchive, part: Part) -> tuple[str, int]:
    """Where a part begins."""
    first = next(iter(archive.read(part, ("series", "time_ns"), 1)))
    return first["series"][0].as_py(), first["time_ns"][0].as_py()


def test_parted_by_metric(tmp_path: Path) -> None:
    store, archive = memory(), at(f"file://{tmp_path}/far/")
    Exporter(archive, store, partition="metric").run()
    folders = {p.partition.split("/")[1] for p in archive.parts("readings")}
    assert folders == {"metric=cpu", "metric=AWS%2FEC2%20x"}
    assert held(archive) == readings(store)
    assert {p.key.split("/")[1] for p in archive.parts("readings", metric="cpu")} == {"metric=cpu"}
    with pytest.raises(ConfigError, match="parts its readings by metric"):
        Exporter(archive, store, partition="date").run()
    archive.close()


@pytest.mark.usefixtures("steps")
def test_the_archive_of_another_store_is_left_alone_and_a_restored_one_goes_on(tmp_path: Path) -> None:
    store, archive = memory(), at(f"file://{tmp_path}/far/")
    Exporter(archive, store).run()
    other = memory(range(100, 160))
    with pytest.raises(DataError, match="not that of this store"):
        Exporter(archive, other).run()
    # From a backup of entry 40, which then went otherwise: it gives the last hours again, and new ones.
    back = memory(range(40))
    fill(back, range(44, 52), 41)
    with pytest.raises(DataError, match="--rejoin"):
        Exporter(archive, back).run()
    Exporter(archive, back, rejoin=True).run()
    bare = {row[1:] for row in readings(store)} | {row[1:] for row in readings(back)}
    assert sorted({row[1:] for row in held(archive)}) == sorted(bare)
    assert {e for e, *_ in held(archive)} <= set(range(1, 48 + 49))
    fill(back, range(52, 54), 49)
    before = len(held(archive))
    assert Exporter(archive, back).run().entries == 2
    assert len(held(archive)) > before
    archive.close()


@pytest.mark.usefixtures("steps")
def test_a_restored_store_is_the_same_and_is_archived_on(tmp_path: Path) -> None:
    store, archive = memory(), at(f"file://{tmp_path}/far/")
    Exporter(archive, store).run()
    back = MemoryStore()
    done = restore(archive, back)
    assert (done.entries, done.there) == (48, 0)
    assert says(back) == says(store)
    assert restore(archive, back).there == 48
    assert Exporter(archive, back).run().entries == 0
    compact(archive)
    torn, commits = MemoryStore(), 0
    commit = torn.commit

    def dying(one: Commit) -> None:
        nonlocal commits
        commits += 1
        if commits == 20:
            raise Ended
        commit(one)

    torn.commit = dying  # type: ignore[method-assign]
    with pytest.raises(Ended):
        restore(archive, torn)
    assert restore(archive, torn).there == 19
    assert says(torn) == says(store)
    # Of a part of the time it counts anew, and the archive finds out by how much.
    some = MemoryStore()
    restore(archive, some, span=(START + 30 * HOUR, 2**63 - 1))
    assert some.head("main") == 19
    assert some.positions("main")["pull"] == "47"
    assert restore(archive, some, span=(START + 30 * HOUR, 2**63 - 1)).entries == 0
    fill(some, [48], 20)
    assert Exporter(archive, some).run().entries == 1
    assert archive.manifest.root().cursors["main"].behind == 29
    assert len(held(archive)) == len(readings(store)) + len(readings(some)) - len(
        [r for r in readings(store) if r[4] >= START + 30 * HOUR]
    )
    with pytest.raises(DataError, match="not from this archive"):
        restore(archive, memory(range(3, 9)))
    archive.close()


def test_what_left_the_log_before_comes_from_the_files_of_the_store(tmp_path: Path) -> None:
    clock = Now(START + 10 * DAY)
    store = SqliteStore(tmp_path / "data", clock=clock)
    fill(store, range(96))
    everything = sorted(row[1:] for row in readings(store))
    store.snapshot("main", "w", 96, b"x")
    files = ParquetArchive(tmp_path / "data" / FOLDER)
    job = Retention(store, archive=files, raw=8 * DAY, clock=clock)
    while job.step():
        pass
    assert readings(store)[0][0] > 40, "nothing left the log"
    archive = at(f"file://{tmp_path}/far/")
    Exporter(archive, store, local=left_before(tmp_path / "data", store)).run()
    # The files keep what is equal once, and how late what was held came is not known any more.
    bare = {(s, g, t, b) for s, g, _, t, b in everything}
    assert {(s, g, t, b) for _, s, g, _, t, b in held(archive)} == bare
    assert Exporter(archive, store, local=left_before(tmp_path / "data", store)).run().parts == 0
    bare_archive = at(f"file://{tmp_path}/without/")
    gaps = Exporter(bare_archive, store).run().gaps
    assert gaps == [("main", 1, readings(store)[0][0] - 1)]
    store.close()


def test_readings_stay_in_the_live_store_until_the_manifest_holds_them(tmp_path: Path) -> None:
    clock = Now(START + 10 * DAY)
    store = memory(range(48))
    store.snapshot("main", "w", 48, b"x")
    archive, there = at(f"file://{tmp_path}/far/"), {"main": 0}
    job = Retention(store, raw=DAY, clock=clock, held=lambda shard: there.get(shard, 0))
    assert not job.step()
    assert job.kept.waiting
    Exporter(archive, store).run()
    there["main"] = 20
    while job.step():
        pass
    assert next(iter(store.log("main", 0))).sequence == 21
    assert len(held(archive)) > len(readings(store))
    there["main"] = 48
    while job.step():
        pass
    assert not readings(store)
    assert not job.kept.waiting


def test_what_is_damaged_is_said(tmp_path: Path) -> None:
    store, archive = memory(), at(f"file://{tmp_path}/far/")
    Exporter(archive, store).run()
    part = archive.parts("readings")[0]
    path = tmp_path / "far" / part.key
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    with pytest.raises(DataError, match="checksum"):
        archive.check(part)
    path.write_bytes(b"x")
    with pytest.raises(DataError, match="damaged"), archive.open(part):
        pass
    one = next(iter(archive.manifest.root().lists.values()))
    (tmp_path / "far" / one.key).write_bytes((tmp_path / "far" / one.key).read_bytes().replace(b"rows", b"rowz"))
    with pytest.raises(DataError, match="damaged"):
        [archive.parts(name) for name in ("readings", "entries", "marks")]
    (tmp_path / "far" / ROOT).write_text("{")
    with pytest.raises(DataError, match="damaged"):
        archive.manifest.root()
    with pytest.raises(ConfigError, match="folder"):
        ObjectArchive("s3://my-bucket/{date}/")


def test_days_are_let_go(tmp_path: Path) -> None:
    store, archive = memory(range(96)), at(f"file://{tmp_path}/far/", START + 10 * DAY)
    Exporter(archive, store).run()
    kept = tidy(archive, keep=8 * DAY)
    assert kept.expired > 3
    assert min(t for *_, t, _ in held(archive)) >= START + 2 * DAY
    assert through(archive.manifest.root(), "main") == 96
    assert Exporter(archive, store).run().entries == 0
    extra = Readings(KEYS[0], np.array([START + 1]), np.array([4.0]))
    store.commit(Commit("main", 97, [extra]))
    assert Exporter(archive, store).run().readings == 1
