"""Files that grow, where the contract of sources does not look."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from watchband.adapters.sources.tail import follow
from watchband.adapters.sources.tail.source import FilesSettings, FilesSource
from watchband.core.errors import PermanentError
from watchband.core.ports import Batch
from watchband.testing.clock import VirtualClock
from watchband.testing.contracts.source_rig import readings_of

DAY = "2026-02-01T00:"
Reading = tuple[str, int, float]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class Reader:
    """Reads what is there, from where it was before, by a new source each time."""

    def __init__(self, clock: VirtualClock, *paths: Path | str, **changes: object) -> None:
        self.clock = clock
        self.settings = FilesSettings(paths=tuple(map(str, paths)), **changes)  # type: ignore[arg-type]
        self.position: str | None = None
        self.source: FilesSource | None = None

    def batches(self) -> list[Batch]:
        self.source = self.settings.open("f", clock=self.clock)
        found: list[Batch] = []
        for batch in self.source.read(self.position):
            found.append(batch)
            self.position = batch.position or self.position
            if batch.events:
                return found
        return found

    def __call__(self) -> list[tuple[str, float]]:
        return [(key, value) for batch in self.batches() for key, _, value in readings_of(batch)]


def rows(*values: float, minute: int = 0) -> str:
    return "".join(f"{DAY}{minute + k:02d}:00Z,{v:g}\n" for k, v in enumerate(values))


def test_a_line_counts_when_it_has_ended(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "cpu.csv"
    path.write_text("timestamp,value\n" + rows(1.0) + DAY + "01:00Z,2")
    read = Reader(clock, path)
    assert read() == [("cpu", 1.0)]
    with path.open("a") as file:
        file.write("5\n")
    assert read() == [("cpu", 25.0)]
    assert read() == []


def test_a_header_alone_is_waited_with(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "cpu.csv"
    read = Reader(clock, path)
    assert read() == []
    path.write_text("timestamp,value\n")
    assert read() == []
    path.write_text("timestamp,value\n" + rows(3.0))
    assert read() == [("cpu", 3.0)]


def test_what_was_put_aside_while_nobody_looked(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "cpu.csv"
    header = "timestamp,value\n"
    path.write_text(header + rows(1.0))
    read = Reader(clock, path)
    assert read() == [("cpu", 1.0)]
    path.write_text(header + rows(1.0, 2.0))
    (tmp_path / "cpu.csv-20260201.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.write_text(header + rows(3.0, minute=2))
    assert read() == [("cpu", 2.0), ("cpu", 3.0)]
    (tmp_path / "cpu.csv-20260201.gz").rename(tmp_path / "cpu.csv-20260131.gz")
    assert read() == []


def test_the_last_line_of_a_file_put_aside_needs_no_end(tmp_path: Path, clock: VirtualClock) -> None:
    path, aside = tmp_path / "cpu.csv", tmp_path / "cpu.csv.1"
    path.write_text("timestamp,value\n" + rows(1.0, 2.0).rstrip("\n"))
    read = Reader(clock, path)
    assert read() == [("cpu", 1.0)]
    path.rename(aside)
    assert read() == [], "whoever writes may still do so"
    os.utime(aside, (1e9, 1e9))
    assert read() == [("cpu", 2.0)]
    assert read() == []


def test_globs_tell_files_apart_by_their_names(tmp_path: Path, clock: VirtualClock) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("timestamp,value\n" + rows(1.0))
    read = Reader(clock, tmp_path / "*.csv", metric="cpu")
    assert sorted(read()) == [('cpu{file="a"}', 1.0), ('cpu{file="b"}', 1.0)]
    (tmp_path / "c.csv").write_text("timestamp,value\n" + rows(1.0))
    assert read() == [('cpu{file="c"}', 1.0)]
    assert sorted(Reader(clock, tmp_path / "*.csv", file_label="")()) == [("a", 1.0), ("b", 1.0), ("c", 1.0)]


def test_names_that_begin_alike_are_different_files(tmp_path: Path, clock: VirtualClock) -> None:
    for name in ("web", "web-1.csv", "web-2.csv"):
        (tmp_path / name).write_text("timestamp,value\n" + rows(1.0))
    read = Reader(clock, tmp_path / "web*", metric="m")
    assert sorted(read()) == [('m{file="web"}', 1.0), ('m{file="web-1"}', 1.0), ('m{file="web-2"}', 1.0)]


def test_more_files_than_a_position_holds(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follow, "FILES_MAX", 3)
    for name in "abcd":
        (tmp_path / f"{name}.csv").write_text("timestamp,value\n" + rows(1.0))
    read = Reader(clock, tmp_path / "*.csv", metric="m")
    assert len(read()) == 3
    assert "d.csv: more than 3 files" in caplog.text
    (tmp_path / "a.csv").unlink()
    assert read() == [('m{file="d"}', 1.0)]


def test_columns_stay_what_they_were(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "m.csv"
    path.write_text("day,host,cpu,note\n" + "3/4/2026 00:00,a,1,\n")
    read = Reader(clock, path)
    first = read.batches()
    with path.open("a") as file:
        file.write("25/4/2026 00:00,a,2,7\n")
    (_, before, _), *_ = (r for batch in first for r in readings_of(batch))
    again = Reader(clock, path)
    again.position = read.position
    assert readings_of(again.batches()[0]) == [], "a later row does not change what 3/4 was taken for"
    assert before == 1_772_582_400 * 10**9
    hinted = Reader(clock, path, day_first=True, values=("cpu",))
    assert [v for batch in hinted.batches() for _, _, v in readings_of(batch)] == [1.0, 2.0]


def test_past_and_present_are_apart(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "cpu.csv"
    path.write_text("timestamp,value\n" + rows(*range(60)))
    clock.sleep(30 * 60)
    batches = [b for b in Reader(clock, path).batches() if b.readings]
    assert [b.history for b in batches] == sorted((b.history for b in batches), reverse=True)
    assert sum(len(r.times) for b in batches if b.history for r in b.readings) == 30
    assert len({b.position for b in batches}) == len(batches)


def test_a_file_that_is_none_stops_no_other(
    tmp_path: Path, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.csv").write_bytes(b"\0\1\2\n" * 50)
    (tmp_path / "b.csv").write_text("name,comment\nx,hello\ny,world\n")
    (tmp_path / "c.csv").write_text("timestamp,value\n" + rows(1.0))
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"timestamp,value\n" + rows(1.0).encode() * 99)[:-20])
    read = Reader(clock, tmp_path / "*.csv*", metric="m")
    assert [key for key, _ in read()][:1] == ['m{file="c"}']
    assert "b.csv" in caplog.text
    caplog.clear()
    read()
    assert len(caplog.records) <= 4, "once a file"


def test_a_line_without_an_end(tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LINE_MAX", 1000)
    path = tmp_path / "cpu.csv"
    path.write_text("timestamp,value\n" + rows(1.0) + "x" * 2000)
    read = Reader(clock, path)
    assert [v for batch in read.batches() for _, _, v in readings_of(batch)] == [1.0]


def test_a_position_of_something_else_is_refused(clock: VirtualClock) -> None:
    with pytest.raises(PermanentError, match="of another kind"):
        next(FilesSettings(paths=("x",)).open("f", clock=clock).read("17"))
