"""States damaged in every way that bytes can be: ``python -m tests.contract.fuzzing [STATES] [SEED]``.

Whatever is read, a detector answers with scores or with a Watchband error, and it answers.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from watchband.core.detector import Detector
from watchband.core.errors import DataError, StateError
from watchband.core.points import Points
from watchband.core.state import _DIGEST, _PREFIX
from watchband.detectors import DETECTORS

STEP = 300_000_000_000
GROWN, NEXT = 400, 4
NASTY = (
    b"1e999",
    b"-1",
    b"[" * 9000,
    b"\xff\xfe",
    b"null",
    b'"' + b"x" * 300 + b'"',
    b"99999999999999999999",
    b"{}",
    b"NaN",
)


def stream(first: int, n: int, seed: int) -> Points:
    """Two series of noise."""
    rng = np.random.default_rng(seed)
    return Points.fleet([((first + np.arange(n)) * STEP, rng.normal(10, 3, n)) for _ in range(2)])


def grown(detector: Detector) -> tuple[bytes, bytes]:
    """A state that has seen some hundred points, written with large arrays packed and as they are."""
    state = detector.start(2)
    detector.step(state, stream(0, GROWN, 3))
    return state.to_bytes(), state.to_bytes(packed=False)


def flip(data: bytearray, choose: random.Random) -> None:
    """Other bytes anywhere."""
    for _ in range(choose.choice([1, 2, 16, 400])):
        data[choose.randrange(len(data))] = choose.randrange(256)


def flip_header(data: bytearray, choose: random.Random) -> None:
    """Other bytes in what says how to read the rest."""
    for _ in range(choose.choice([1, 1, 3])):
        data[choose.randrange(8, min(len(data), 400))] = choose.randrange(32, 127)


def cut(data: bytearray, choose: random.Random) -> None:
    """A piece is missing, or the end."""
    start = choose.randrange(len(data))
    del data[start : choose.choice([len(data), start + choose.randrange(1, 64)])]


def repeat(data: bytearray, choose: random.Random) -> None:
    """A piece stands there twice."""
    start = choose.randrange(len(data))
    piece = data[start : start + choose.choice([1, 8, 64, 1000])]
    data[start:start] = piece


def fill(data: bytearray, choose: random.Random) -> None:
    """A piece of all zeros, all ones or of one extreme number."""
    size = 8 * choose.choice([1, 4, 100])
    start = choose.randrange(len(data))
    number = choose.choice(
        [b"\0" * 8, b"\xff" * 8, struct.pack("<d", 1e308), struct.pack("<q", 2**40), b"\0\0\x80\x7f" * 2]
    )
    data[start : start + size] = number * (size // 8)


def spell(data: bytearray, choose: random.Random) -> None:
    """Another value in the header, its length as it is then."""
    size = _PREFIX.unpack_from(data)[2]
    text = bytes(data[_PREFIX.size : _PREFIX.size + size])
    places = [i for i, byte in enumerate(text) if byte in b":,"]
    at = choose.choice(places) + 1
    text = text[:at] + choose.choice(NASTY) + text[at + choose.randrange(12) :]
    data[:] = _PREFIX.pack(b"WBSTATE\n", 1, len(text)) + text + data[_PREFIX.size + size :]


def reshape(data: bytearray, choose: random.Random) -> None:
    """A header that can be read and says something else of an array."""
    size = _PREFIX.unpack_from(data)[2]
    header = json.loads(bytes(data[_PREFIX.size : _PREFIX.size + size]))
    entry = choose.choice(header["arrays"])
    entry[choose.choice([1, 2])] = choose.choice(
        ["<f8", "|b1", "<u2", [2], [1, 4], [2**30, 2**30], [], "x", -1, [2, 2.0]]
    )
    text = json.dumps(header).encode()
    data[:] = _PREFIX.pack(b"WBSTATE\n", 1, len(text)) + text + data[_PREFIX.size + size :]


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, flip, flip_header, cut, repeat, fill, fill, spell, reshape
)  # fmt: skip


@dataclass
class Found:
    """How many damaged states were refused when read, when stepped, and how many were states all the same."""

    unread: int = 0
    refused: int = 0
    scored: int = 0


def fuzz(detector: Detector, states: int, seed: int) -> Found:
    """Read and step so many damaged states.

    Raises
    ------
    Exception
        Whatever is no Watchband error: that is what is looked for.
    """
    good, choose, found = grown(detector), random.Random(seed), Found()
    following = stream(GROWN, NEXT, 4)
    for _ in range(states):
        # Of packed arrays most damage is seen when they are read; the other form takes it to the kernels.
        data = bytearray(choose.choice(good)[:-_DIGEST])
        choose.choice(WAYS)(data, choose)
        try:
            state = detector.load(bytes(data) + hashlib.blake2b(data, digest_size=_DIGEST).digest())
        except StateError:
            found.unread += 1
            continue
        try:
            scores = detector.step(state, following, threads=choose.choice([1, 2]))
            assert len(scores) == len(following)
            found.scored += 1
        except (StateError, DataError):
            found.refused += 1
    return found


def main(arguments: list[str]) -> None:
    states, seed = (int(arguments[i]) if len(arguments) > i else default for i, default in enumerate((30, 0)))
    for name in DETECTORS.names():
        sys.stdout.write(f"{name}: {fuzz(DETECTORS.build({'type': name}), states, seed)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
