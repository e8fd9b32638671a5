"""Recent points: what is kept, how much of it, and when it gives way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchband.apps.service.recent import DEPTH_MAX, DEPTH_MIN, POINT_BYTES, Recent
from watchband.core.series import SeriesKey
from watchband.detectors import RollingZscore
from watchband.pipeline.prepare import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch
from watchband.testing.streams import MINUTE, times


def results(series: int, points: int, parts: int = 1) -> list[Results]:
    """What a watch says of some series, in so many batches."""
    watch = Watch("w", RollingZscore(window=8), Cutoff(6))
    state = watch.start([SeriesKey(f"m{i}") for i in range(series)])
    found = []
    for part in np.array_split(np.arange(points), parts):
        moments = times(points, MINUTE)[part]
        found.append(watch.step(state, Raw.fleet([(moments, np.sin(part / 3.0) + i) for i in range(series)])))
    return found


@pytest.mark.parametrize("parts", [1, 3, 50])
@pytest.mark.parametrize("points", [10, DEPTH_MAX, 600])
def test_the_last_points_are_kept_however_they_came(points: int, parts: int) -> None:
    recent = Recent()
    found = results(3, points, parts)
    for one in found:
        recent.add("w", one)
    whole = Results.joined(found)
    for row, key in enumerate(whole.keys):
        expected, tail = whole.of(row), recent.tail("w", key)
        assert tail is not None
        assert tail.seen == points
        assert tail.time.tolist() == expected.time[-DEPTH_MAX:].tolist()
        assert tail.y.tobytes() == expected.y[-DEPTH_MAX:].tobytes()
        np.testing.assert_allclose(tail.yhat_upper, expected.yhat_upper[-DEPTH_MAX:], rtol=1e-6)
    assert [last["y"] for _, last in recent.newest("w")] == [whole.of(row).y[-1] for row in range(3)]


@pytest.mark.filterwarnings("error")
def test_values_beyond_32_bits_are_no_warning() -> None:
    recent, (found,) = Recent(), results(1, 20)
    recent.add("w", replace(found, yhat_upper=np.full(len(found), 1e300)))
    (last,) = recent.newest("w")
    assert last[1]["yhat_upper"] == np.inf


def test_many_series_share_the_memory_by_halving_their_depth() -> None:
    most = 1000 * DEPTH_MIN * POINT_BYTES
    recent = Recent(bytes_max=most)
    first = results(5, 300)[0]
    recent.add("few", first)
    recent.add("many", results(900, 20)[0])
    assert DEPTH_MIN <= recent.depth < DEPTH_MAX
    tail = recent.tail("few", SeriesKey("m3"))
    assert tail is not None
    assert tail.time.tolist() == first.of(3).time[-recent.depth :].tolist()
    recent.add("too many", results(3000, 5)[0])
    assert recent.depth == DEPTH_MIN
    assert recent.left_out > 0
    assert recent.nbytes <= most + 1000 * 64
    recent.forget("many")
    recent.add("later", results(100, 5)[0])
    assert recent.tail("later", SeriesKey("m99")) is not None


def test_series_that_have_ended_make_room() -> None:
    recent = Recent()
    recent.add("w", results(4, 10)[0])
    recent.add("w", results(2, 10)[0])
    assert recent.series == 2
    assert recent.tail("w", SeriesKey("m3")) is None
