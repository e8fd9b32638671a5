"""The small plot of the terminal: the value inside or outside its band, with and without colour."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.apps.cli.chart import OUT, Stretch, draw
from watchband.core.points import Float64


def stretch(y: Float64, half: float = 2.0, middle: float = 10.0) -> Stretch:
    n = len(y)
    low, high = np.full(n, middle - half), np.full(n, middle + half)
    return Stretch(np.arange(n) * 60_000_000_000, y, low, high, (y > high) | (y < low))


def spike(n: int = 40) -> Float64:
    y = np.full(n, 10.0)
    y[30:32] = 20.0
    return y


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("width", [10, 60, 200])
def test_lines_are_as_wide_and_as_many_as_asked_for(width: int, colour: bool) -> None:
    lines, (low, high) = draw(stretch(spike()), width, 5, colour=colour)
    assert len(lines) == 6
    assert {line.cell_len for line in lines} == {width}
    assert low < 10 < 20 < high


def test_the_rail_stands_over_what_is_outside() -> None:
    lines, _ = draw(stretch(spike()), 20, 4)
    rail = lines[0].plain
    assert rail.strip() == "━" * len(rail.strip())
    assert abs(rail.index("━") - 15) <= 1


def test_what_is_outside_is_warm_and_the_rest_is_not() -> None:
    lines, _ = draw(stretch(spike()), 20, 4)
    warm = [span for line in lines[1:] for span in line.spans if OUT in str(span.style)]
    assert warm
    calm, _ = draw(stretch(np.full(40, 10.0)), 20, 4)
    assert not [span for line in calm[1:] for span in line.spans if OUT in str(span.style)]
    assert calm[0].plain.strip() == ""


def test_without_colour_the_band_is_a_texture() -> None:
    lines, _ = draw(stretch(spike(), half=4.0), 20, 8, colour=False)
    assert any("░" in line.plain for line in lines)
    assert not [span for line in lines[1:] for span in line.spans if "on " in str(span.style)]


def test_a_gap_is_not_bridged() -> None:
    y = np.full(40, 10.0)
    y[10:30] = np.nan
    lines, _ = draw(stretch(y, half=np.nan), 20, 3)
    drawn = {x for line in lines[1:] for x, c in enumerate(line.plain) if c != " "}
    assert drawn
    assert not drawn & set(range(6, 14))


def test_constant_values_and_a_band_of_one_side() -> None:
    flat = stretch(np.zeros(5), half=np.nan)
    one = Stretch(flat.times, flat.y, flat.lower, np.ones(5), flat.outside)
    for given in (flat, one):
        lines, (low, high) = draw(given, 10, 3)
        assert low < high
        assert any(c > "\u2800" for line in lines for c in line.plain)
