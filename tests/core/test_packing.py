"""Large arrays in fewer bytes: every bit comes back, and forged bytes are an error."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from watchband.core.errors import StateCorruptError
from watchband.core.packing import LEAST, MOST, pack, unpack
from watchband.core.points import Points
from watchband.core.state import State
from watchband.detectors import RandomCutForest

RNG = np.random.default_rng(0)
ARRAYS = {
    "cuts": RNG.normal(size=(2, 5000)).astype("<f4"),
    "links": RNG.integers(0, 512, (1, 9000)).astype("<i8"),
    "odd floats": np.array([[np.nan, -0.0, np.inf, 5e-324, *RNG.normal(size=2000)]]),
    "starts": RNG.integers(0, 15_000, (3, 5000)).astype("<u2"),
    "one value": np.full((1, 4096), -1, np.int64),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS.keys())
def test_every_bit_comes_back(array: np.ndarray) -> None:
    packed = pack(array)
    assert packed is not None
    assert len(packed) < array.nbytes
    assert unpack(memoryview(packed), array.dtype, array.size).tobytes() == array.tobytes()


def test_small_and_random_arrays_are_left_alone() -> None:
    assert pack(np.zeros((1000, LEAST // 8 - 1))) is None, "small a series, however many series"
    assert pack(RNG.integers(0, 1 << 62, (1, 5000)) * 4 + RNG.integers(0, 4, (1, 5000))) is None
    assert pack(np.zeros((0, 5000))) is None
    assert pack(np.zeros((1, 50_000), np.uint8)) is None
    assert pack(np.zeros((1, MOST // 8 + 1))) is None


def test_forged_bytes_are_an_error_and_no_flood() -> None:
    packed = bytearray(pack(ARRAYS["links"]) or b"")
    count, dtype = ARRAYS["links"].size, ARRAYS["links"].dtype
    for forged, size in (
        (packed[:-1], count),
        (packed + b"x", count),
        (packed, count + 1),
        (packed, count - 1),
        (packed, 1 << 40),
        (b"", count),
        (b"\x00" * len(packed), count),
        (packed[:9012] + b"\xff" * 40 + packed[9052:], count),
    ):
        with pytest.raises(ValueError, match=r"packed|place"):
            unpack(memoryview(bytes(forged)), dtype, size)


def test_a_forest_is_written_in_150_kilobytes() -> None:
    """At 50 trees of 256 samples and a shingle of 8, once its ring is full; it may declare no more than it can need."""
    values = 50 + 10 * np.sin(np.arange(17_000) / 46) + np.random.default_rng(1).normal(size=17_000)
    detector = RandomCutForest()
    state = detector.start()
    detector.step(state, Points.of(np.arange(len(values)), values))
    written = state.to_bytes()
    assert 100_000 < len(written) <= 150_000 < detector.written_bytes_max <= 200_000
    again = detector.load(written)
    assert again.same_bits(state)
    assert again.to_bytes() == written
    plain = state.to_bytes(packed=False)
    assert len(written) < len(plain) < detector.written_bytes_max + 2000
    assert detector.load(plain).same_bits(state)


def test_what_is_packed_wrongly_is_a_corrupt_state() -> None:
    detector = RandomCutForest(trees=10)
    state = detector.start()
    detector.step(state, Points.of(np.arange(500), RNG.normal(size=500)))
    written = bytearray(state.to_bytes())
    # Over the lengths of several places.
    written[1000:9000] = b"\xff" * 8000
    forged = bytes(written[:-16]) + hashlib.blake2b(bytes(written[:-16]), digest_size=16).digest()
    with pytest.raises(StateCorruptError):
        detector.load(forged)
    assert State.from_bytes(detector.start().to_bytes()).same_bits(detector.start())
