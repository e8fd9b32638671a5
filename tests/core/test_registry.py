"""Outside packages plug in by entry point, and the contract suite runs on them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from watchband.core.errors import UnknownNameError
from watchband.detectors import DETECTORS

PLUGIN = '''
"""A detector of an outside package: distance from the last value."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband.core.detector import Detector
from watchband.core.params import Real, param
from watchband.core.state import Field


@dataclass(frozen=True)
class LastValue(Detector):
    name: ClassVar[str] = "last_value"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "time_shift"})
    unit: float = param(1.0, Real(0, low_open=True), "Distance that scores 1.")

    @property
    def memory_points(self) -> int:
        return 1

    def layout(self) -> dict[str, Field]:
        return {"last": Field("f8", 1, np.nan)}

    def _fold(self, state, points, scores, threads):
        for row, span in points.slices():
            for i in range(span.start, span.stop):
                value, last = points.values[i, 0], state.arrays["last"][row, 0]
                if np.isfinite(value):
                    scores.score[i] = abs(value - last) / self.unit
                    state.arrays["last"][row, 0] = value
'''

USE = """
from watchband.detectors import DETECTORS
from watchband.testing.contracts.detector import check_detector
assert "last_value" in DETECTORS.names()
detector = DETECTORS.parse("last_value:unit=2")
check_detector(detector)
assert DETECTORS.build(DETECTORS.to_config(detector)) == detector
print("kept the laws")
"""


def install(folder: Path) -> None:
    """What pip leaves behind for a package of one module with an entry point."""
    (folder / "last_value.py").write_text(PLUGIN)
    info = folder / "last_value-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: last-value\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[watchband.detectors]\nlast_value = last_value:LastValue\n")


def test_an_outside_package_plugs_in_and_keeps_the_laws(tmp_path: Path) -> None:
    install(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + textwrap.dedent(USE)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "kept the laws", done.stderr


def test_every_registered_detector_is_exported_under_its_class_name() -> None:
    import watchband.detectors as package

    for name in DETECTORS.names():
        found = DETECTORS.get(name)
        assert found.name == name
        assert getattr(package, found.__name__) is found


def test_an_unknown_detector_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="rolling_zscore"):
        DETECTORS.get("nothing_like_it")
