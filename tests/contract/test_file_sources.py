"""Files that grow keep the contract of sources, while they are put aside, packed and truncated."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from watchband.adapters.sources.tail.source import FilesSettings
from watchband.core.duration import SECOND
from watchband.core.timestamp import format_rfc3339
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import Rig


class FilesRig(Rig):
    """A CSV that is renamed and packed, JSON Lines that are copied and truncated; half lines and bad ones."""

    bad = 3

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.web, self.db = self.folder / "web.csv", self.folder / "db.jsonl"
        self.settings = FilesSettings(paths=(str(self.web), str(self.db)))
        self.history_until = self.begin = self.clock.now()
        self.web.write_text("timestamp,host,cpu\n")
        self.rows = 0
        for k in range(-4, 0):
            self.row(k)
        steps: list[Callable[[], object]] = [
            lambda: self.row(0),
            lambda: (self.row(1), self.row(2)),
            self.half_a_row,
            lambda: self.append(self.web, "yesterday,a,1\n2026-02-01T00:00:03Z,a,high\n"),
            lambda: self.append(self.db, "{broken\n"),
            lambda: self.row(10),
            self.renamed,
            lambda: self.row(20),
            self.packed,
            lambda: self.row(30),
            self.copied,
            lambda: self.row(40),
            lambda: self.row(50),
        ]
        for number, step in enumerate(steps):
            self.clock.at(self.begin + (number * 7 + 3) * SECOND, step)
        for k in (0, 1, 2, 5, 10, 20, 30, 40, 50):
            self.expect(k)

    def time(self, k: int) -> int:
        return self.begin + k * SECOND

    def expect(self, k: int) -> None:
        self.expected.append(('cpu{file="web",host="a"}', self.time(k), float(k)))
        if k != 5:
            self.expected.append(('load{file="db"}', self.time(k), k / 2))

    def append(self, path: Path, text: str) -> None:
        with path.open("a") as file:
            file.write(text)

    def row(self, k: int) -> None:
        self.append(self.web, f"{format_rfc3339(self.time(k))},a,{k}\n")
        self.append(self.db, json.dumps({"time": format_rfc3339(self.time(k)), "load": k / 2}) + "\n")
        if k < 0:
            self.expect(k)

    def half_a_row(self) -> None:
        text = f"{format_rfc3339(self.time(5))},a,5\n"
        self.append(self.web, text[:9])
        self.clock.at(self.clock.now() + 3 * SECOND, lambda: self.append(self.web, text[9:]))

    def renamed(self) -> None:
        self.web.rename(self.folder / "web.csv.1")
        self.web.write_text("timestamp,host,cpu\n")

    def packed(self) -> None:
        old = self.folder / "web.csv.1"
        (self.folder / "web.csv.1.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()

    def copied(self) -> None:
        shutil.copy(self.db, self.folder / "db.jsonl.1")
        self.db.write_text("")

    def more(self) -> None:
        self.row(100)
        self.expect(100)

    def close(self) -> None:
        shutil.rmtree(self.folder)


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_keeps_it(check: str) -> None:
    CHECKS[check](FilesRig)
