"""The bundled recording: twenty minutes of a machine's metrics, a second apart, with faults caused on purpose.

``tools/record_machine.py`` made it. Nothing in it names a host, a user, a process or a device.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey

SECOND = 1_000_000_000
TITLES = {"cpu_burn": "CPU burn", "memory_fill": "memory fill", "disk_writes": "disk writes"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was caused: what, when (ns UTC), and the metrics it must show in."""

    name: str
    start: int
    end: int
    metrics: tuple[str, ...]

    @property
    def title(self) -> str:
        """Words for people."""
        return TITLES.get(self.name, self.name.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Recording:
    """Times int64[n], values float64[n, m] with one column per key, and the faults in order."""

    keys: tuple[SeriesKey, ...]
    times: Int64
    values: Float64
    faults: tuple[Fault, ...]


def load_recording() -> Recording:
    """Read the recording that is part of the package."""
    folder = files("watchband.apps.cli")
    packed = (folder / "recording.csv.gz").read_bytes()
    rows = list(csv.reader(io.StringIO(gzip.decompress(packed).decode())))
    numbers = np.array(rows[1:], np.float64)
    labels = json.loads((folder / "recording_labels.json").read_text())
    return Recording(
        tuple(SeriesKey(name, {"source": "recording"}) for name in rows[0][1:]),
        (numbers[:, 0] * SECOND).astype(np.int64),
        np.ascontiguousarray(numbers[:, 1:]),
        tuple(Fault(f["fault"], f["start"] * SECOND, f["end"] * SECOND, tuple(f["metrics"])) for f in labels),
    )


class RecordingSource:
    """The recording as a source: ``points`` readings of every series a batch. Resumes exactly at its position."""

    name = "recording"

    def __init__(self, recording: Recording, points: int = 20) -> None:
        self.recording, self.points = recording, points

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """Batches from after ``position``, the number of seconds played."""
        total = len(self.recording.times)
        for start in range(int(position or 0), total, self.points):
            stop = min(start + self.points, total)
            readings = [
                Readings(
                    key, self.recording.times[start:stop], np.ascontiguousarray(self.recording.values[start:stop, i])
                )
                for i, key in enumerate(self.recording.keys)
            ]
            yield Batch(readings, str(stop))

    def close(self) -> None:
        """Nothing to close."""
