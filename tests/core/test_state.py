"""States: bytes and back, and what is said of bytes that are none."""

from __future__ import annotations

import hashlib
import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.errors import StateCorruptError, StateError, StateMismatchError, StateVersionError
from watchband.core.points import Points
from watchband.core.state import FORMAT, MAGIC, State
from watchband.detectors.rolling_zscore import RollingZscore

DETECTOR = RollingZscore(window=4)


def state(series: int = 3) -> State:
    made = DETECTOR.start(series)
    fleet = [(np.arange(9), np.arange(9.0) + i) for i in range(series)]
    DETECTOR.step(made, Points.fleet(fleet))
    return made


def test_round_trip() -> None:
    before = state()
    after = State.from_bytes(before.to_bytes())
    assert after.same_bits(before)
    assert after.to_bytes() == before.to_bytes()
    assert all(a.flags.writeable for a in after.arrays.values())


def test_take_and_stack_are_inverse() -> None:
    whole = state(3)
    assert State.stack([whole.take([0]), whole.take([1, 2])]).same_bits(whole)
    assert whole.take([2]).series == 1


def test_stack_refuses_strangers() -> None:
    with pytest.raises(StateMismatchError, match="one set of parameters"):
        State.stack([state(), RollingZscore(window=5).start()])


def test_a_copy_is_not_aliased() -> None:
    one = state()
    two = one.copy()
    two.arrays["values"][:] = 1e99
    assert (one.arrays["values"] < 1e99).all()


@pytest.mark.parametrize("size", [0, 3, 8, 20, 100, -1])
def test_truncated_bytes(size: int) -> None:
    with pytest.raises(StateCorruptError, match=r"start cold with detector\.start\(\)"):
        State.from_bytes(state().to_bytes()[:size])


def test_foreign_bytes() -> None:
    with pytest.raises(StateCorruptError, match="not a Watchband state: they begin with b'PAR1"):
        State.from_bytes(b"PAR1" + bytes(400))


@given(st.integers(0, 10**9))
def test_any_damaged_byte_is_noticed(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(state().to_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    with pytest.raises(StateError):
        State.from_bytes(bytes(data))


def sealed(header: object, body: bytes = b"") -> bytes:
    """Bytes with a right checksum around any header: what only hostile hands would make."""
    text = json.dumps(header).encode()
    data = MAGIC + FORMAT.to_bytes(2, "little") + len(text).to_bytes(4, "little") + text + body
    return data + hashlib.blake2b(data, digest_size=16).digest()


@pytest.mark.parametrize(
    "header",
    [
        [],
        {},
        {"arrays": [["a", "|O", [1]]]},
        {"arrays": [["a", "<f8", [1 << 40, 1 << 40]]]},
        {"arrays": [["a", "<f8", [-1]]]},
        {"arrays": [["a", "<f8", [1000]]]},
        {"arrays": 3},
    ],
)
def test_hostile_headers(header: object) -> None:
    with pytest.raises(StateCorruptError):
        State.from_bytes(sealed(header))


def test_newer_format() -> None:
    data = bytearray(state().to_bytes())
    data[len(MAGIC)] = FORMAT + 1
    with pytest.raises(StateVersionError, match="Upgrade Watchband"):
        State.from_bytes(bytes(data))


def test_a_state_of_other_parameters_is_refused() -> None:
    data = state().to_bytes()
    with pytest.raises(StateMismatchError, match="other parameters"):
        RollingZscore(window=5).load(data)
    assert RollingZscore(window=4, width=1.0).load(data).series == 3, "width is retunable"
