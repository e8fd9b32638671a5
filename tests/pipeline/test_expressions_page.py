"""The examples of the page on expressions are what is computed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from watchband.apps.config.config import read_config
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.derive import Derive

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "expressions.md").read_text()
ROW = re.compile(r"^\| `([^`]+)` \| (`[^|]+`) \| ([^|]+) \|$", re.MULTILINE)
READING = re.compile(r"`(.+)@(\d+)=(\S+)`")
SECOND = 1_000_000_000


def readings(text: str) -> list[tuple[str, int, float]]:
    found = [READING.fullmatch(part) for part in re.findall(r"`[^`]+`", text)]
    return [(m[1], int(m[2]), float(m[3])) for m in found if m]


@pytest.mark.parametrize(("text", "given", "result"), ROW.findall(PAGE))
def test_rows_of_the_table(text: str, given: str, result: str) -> None:
    came = [
        Readings(SeriesKey.parse(name), np.array([time * SECOND]), np.array([value]))
        for name, time, value in readings(given)
    ]
    found = [
        (str(r.key), t // SECOND, v)
        for r in Derive({"d": text}).step(came)
        for t, v in zip(r.times.tolist(), r.values.tolist(), strict=True)
    ]
    assert repr(found) == repr(readings(result))
    assert bool(found) != result.startswith("nothing")


def test_the_table_is_found() -> None:
    assert len(ROW.findall(PAGE)) == 17


def test_the_configuration_is_one(tmp_path: Path) -> None:
    block = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "watchband.yaml").write_text(block)
    assert list(read_config(tmp_path / "watchband.yaml", {}).expressions) == ["error_ratio", "disk_used", "latency_gap"]
