"""The source of objects keeps the contract of sources, over a folder that objects come into."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path

import pytest

from watchband.adapters.sources.s3.settings import S3
from watchband.core.duration import HOUR, MINUTE, SECOND
from watchband.core.timestamp import format_rfc3339
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import Rig


class FolderRig(Rig):
    """Objects of four rows; one damaged, one that is written anew under its name, one without rows."""

    bad = 3

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.settings = S3(objects=f"file://{self.folder}/{{date}}/{{part}}.csv.gz", every=5 * SECOND, delay=5 * MINUTE)
        self.history_until = self.begin = self.clock.now()
        self.rows = -8
        for number in range(2):
            self.put(f"{number}")
        for number in range(2, 6):
            self.clock.at(self.begin + number * 20 * SECOND, lambda number=number: self.put(f"{number}"))
        for k in range(16):
            self.expect(k)
        self.clock.at(self.begin + 33 * SECOND, self.damaged)

    def expect(self, k: int) -> None:
        self.expected.append(("cpu", self.begin + k * SECOND, float(k)))

    def put(self, name: str, rows: int = 4) -> None:
        lines = ["timestamp,cpu"]
        for k in range(self.rows, self.rows + rows):
            lines.append(f"{format_rfc3339(self.begin + k * SECOND)},{k}")
            if k < 0:
                self.expect(k)
        if name == "3":
            lines += ["yesterday,1", f"{format_rfc3339(self.begin)},high"]
        self.rows += rows
        self.write(name, gzip.compress("\n".join(lines).encode() + b"\n"))

    def write(self, name: str, body: bytes) -> None:
        path = self.folder / format_rfc3339(self.begin)[:10] / f"{name}.csv.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
        now = self.clock.now()
        os.utime(path, ns=(now, now))

    def damaged(self) -> None:
        self.write("damaged", gzip.compress(b"timestamp,cpu\n" * 1000)[:20])

    def more(self) -> None:
        for k in range(self.rows, self.rows + 4):
            self.expect(k)
        self.put("more")


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_keeps_the_contract(check: str) -> None:
    CHECKS[check](FolderRig)


def test_hours_of_objects_are_remembered_no_longer_than_needed() -> None:
    rig = FolderRig()
    source = rig.settings.open("rig", clock=rig.clock)
    sizes = []
    for batch in source.read(None):
        if batch.position:
            sizes.append(len(batch.position))
        if rig.clock.now() > rig.begin + 2 * HOUR:
            break
    assert max(sizes) < 500
