"""States that no fold ever wrote: every detector and stage answers with an error that says so, or with scores."""

from __future__ import annotations

import contextlib
import hashlib
import random

import numpy as np
import pytest

from watchband.core.detector import Detector
from watchband.core.errors import DataError, StateCorruptError, StateError
from watchband.core.fold import Fold
from watchband.core.points import Points
from watchband.core.series import SeriesKey
from watchband.core.state import State
from watchband.detectors import DETECTORS
from watchband.detectors.rolling_zscore import RollingZscore
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.decide import Decide
from watchband.pipeline.prepare import Prepare, Raw
from watchband.pipeline.watch import Watch

WHOLE = [0, 1, -1, 7, 64, 2**31, 2**62, 2**63 - 1, -(2**63)]
REAL = [0.0, -1.0, np.nan, np.inf, -np.inf, 1e308, 5e-324, -7.0, 2.0**63, 640.0]
STAGES: list[Fold] = [Prepare(), Calibrate(), Decide()]
EVERY: list[Detector] = [DETECTORS.build({"type": name}) for name in DETECTORS.names()]


def stream(first: int, n: int, rng: np.random.Generator) -> Points:
    times = (first + np.arange(n)) * 300_000_000_000
    return Points.fleet([(times, rng.normal(10, 3, n)) for _ in range(2)])


@pytest.mark.parametrize("detector", EVERY, ids=lambda d: d.name)
def test_any_numbers_in_a_state(detector: Detector) -> None:
    rng, choose = np.random.default_rng(3), random.Random(3)
    grown = detector.start(2)
    detector.step(grown, stream(0, 700, rng))
    for _ in range(120):
        state = grown.copy()
        array = choose.choice([a for a in state.arrays.values() if a.size] or [state.points_seen]).reshape(-1)
        cells = rng.integers(0, len(array), choose.choice([1, 3, len(array)]))
        pool = np.array(WHOLE) if array.dtype.kind in "iu" else np.array(REAL)
        with np.errstate(over="ignore"):
            array[cells] = rng.choice(pool, len(cells)).astype(array.dtype)
        with contextlib.suppress(StateError, DataError):
            scores = detector.step(detector.load(state.to_bytes()), stream(700, 5, rng), threads=choose.choice([1, 2]))
            assert len(scores) == 10


@pytest.mark.parametrize("fold", [*EVERY, *STAGES], ids=lambda f: f.name)
def test_arrays_of_another_shape_are_refused(fold: Fold) -> None:
    good = fold.start(2)
    fold.check_state(good)
    name = next((k for k, a in good.arrays.items() if a.size), None)
    wrong = [
        {**good.arrays, "stranger": np.zeros((2, 1))},
        *([{k: a for k, a in good.arrays.items() if k != name}] if name else []),
        *([{**good.arrays, name: change(good.arrays[name])} for change in CHANGES] if name else []),
    ]
    for arrays in wrong:
        state = State(*good.identity, arrays, good.points_seen, good.last_time)
        with pytest.raises(StateCorruptError, match="start cold"):
            fold.check_state(state)
    with pytest.raises(StateCorruptError, match="'last_time'"):
        fold.check_state(State(*good.identity, good.arrays, good.points_seen, good.last_time.astype(float)))


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


CHANGES = [
    lambda a: a[:1],
    lambda a: np.repeat(a, 2, axis=1),
    lambda a: np.zeros(a.shape, np.int16),
    lambda a: a.reshape(-1),
    lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    read_only,
]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_panic_in_a_kernel_is_a_state_error_with_its_words(threads: int) -> None:
    detector = RollingZscore(window=5)
    state = detector.start(2)
    state.arrays["head"][:] = [5, 2**40]
    with pytest.raises(StateCorruptError, match=r"index is 1099511627776.*last good snapshot"):
        detector.step(state, stream(0, 9, np.random.default_rng(1)), threads=threads)


def test_a_panic_in_prepare_is_a_state_error() -> None:
    prepare = Prepare()
    state = prepare.start()
    state.arrays["counts"][:] = 2**40
    with pytest.raises(StateCorruptError, match="half way"):
        prepare.step(state, Raw.of(np.arange(9) * 10, np.arange(9.0)))


def test_a_watch_reads_no_bytes_it_did_not_write() -> None:
    watch = Watch("w", RollingZscore(window=5))
    state = watch.start([SeriesKey("cpu"), SeriesKey("memory", {"host": "a"})])
    rng, choose = np.random.default_rng(4), random.Random(4)
    points = stream(0, 60, rng)
    watch.step(state, Raw(points.times, points.values[:, 0].copy(), points.offsets, points.rows))
    body = state.to_bytes()[:-16]
    read = 0
    for _ in range(400):
        data = bytearray(body)
        for _ in range(choose.choice([1, 1, 4])):
            data[choose.randrange(8, 120)] = choose.randrange(256)
        with contextlib.suppress(StateError):
            watch.load(bytes(data) + hashlib.blake2b(data, digest_size=16).digest())
            read += 1
    # Names of series are free text: another name is another series, not damage.
    assert read < 200
