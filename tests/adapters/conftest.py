"""Small tables as text, read into what a test can compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from watchband.adapters.sources.files import FileBatch, Hints, Profile, open_table


@dataclass
class Read:
    """A table that was read: series by text key, and all values in the order in which they came."""

    series: dict[str, list[tuple[str, float]]]
    batches: list[FileBatch]
    profile: Profile
    problems: list[str]

    @property
    def keys(self) -> list[str]:
        return list(self.series)

    @property
    def notes(self) -> str:
        return "\n".join(self.profile.notes)

    def column(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(batch, name) for batch in self.batches])


def read_paths(paths: object, **hints: object) -> Read:
    with open_table(paths, Hints(**hints)) as table:  # type: ignore[arg-type]
        batches = list(table.batches())
    series: dict[str, list[tuple[str, float]]] = {str(key): [] for key in table.keys}
    for batch in batches:
        for row, time, value in zip(batch.row, batch.times, batch.values, strict=True):
            text = str(np.datetime64(int(time), "ns")).removesuffix("000").removesuffix("000").removesuffix(".000")
            series[str(table.keys[row])].append((text.removesuffix(":00"), float(value)))
    return Read(series, batches, table.profile, [str(problem) for problem in table.problems])


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """``read(text, name="cpu.csv", **hints)``."""

    def reader(text: str | bytes, name: str = "cpu.csv", **hints: object) -> Read:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_paths(path, **hints)

    return reader
