"""Cells read one by one are what they are read column by column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.sources.files.cells import numbers, time_of
from watchband.adapters.sources.files.columns import NULLS, to_numbers
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.timestamps import find_format, parse

CLOCKS = ("", " 7:05", " 14:30", "T14:30:59", " 14:30:59.25", ", 2:30 pm", " 12:10 AM", "T24:00:00", " 25:00", " 3:60")
ZONES = ("", "Z", " UTC", "+02:00", "-0530", "+01")
DATES = (
    "2025-02-17", "2025/2/7", "1999.12.31", "2/17/2025", "17/2/2025", "3/4/26", "31.4.2025", "20250217", "17 Feb 2025",
    "Mon, 17 Feb 2025", "Feb 17, 2025", "February 17 2025", "29-Feb-2024", "30 Feb 2024", "2025-13-01", "1600-01-01",
    "Fob 17, 2025", "20251340",
)  # fmt: skip


def by_column(text: str, hints: Hints) -> int | None:
    column = pa.array([text], pa.string())
    form = find_format(column, hints)
    if form is None or form.kind == "row":
        return None
    found = parse(column, form)
    return None if found.bad[0] else int(found.ns[0])


@pytest.mark.parametrize("zone", ["UTC", "Europe/Dublin"])
@pytest.mark.parametrize("day_first", [False, True])
def test_times_are_the_same(zone: str, day_first: bool) -> None:
    hints = Hints(timezone=zone, day_first=day_first)
    texts = [d + c + z for d in DATES for c in CLOCKS for z in (ZONES if c else ("",))]
    texts += ["1739802600", "1739802600123", "1739802600.25", "1739802600123456789", "17", "-5", "", "soon", "1e9"]
    different = {t: (time_of(t, hints), by_column(t, hints)) for t in texts if time_of(t, hints) != by_column(t, hints)}
    assert not different


CELLS = [*NULLS, "12 %", " 3.5 ", "true", "False", "x", "1_0", ".5", "5.", "+1e-3", "inf", "-Infinity", "0x1", "1,5"]
ANY = st.one_of(st.floats().map(repr), st.integers().map(str), st.sampled_from(CELLS), st.text(max_size=4))


@given(st.lists(ANY, max_size=6))
def test_numbers_are_the_same(texts: list[str]) -> None:
    values, bad = numbers(texts)
    # Cell by cell, since a column that is read at once may take a word for a number that stands alone.
    for text, value, wrong in zip(texts, values, bad, strict=True):
        expected, missing = to_numbers(pa.array([text], pa.string()))
        np.testing.assert_array_equal([value], expected, repr(text))
        assert wrong == missing[0], repr(text)
