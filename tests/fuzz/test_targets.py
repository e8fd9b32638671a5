"""Every target over its seeds and some thousands of mutations of them: always the same ones, without a fuzzer."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from tests.fuzz.targets import TARGETS, seeds

ROUNDS = 60
MEMORY_MAX = 64 << 20
TOKENS = [
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80\x80\x80\x80\x08",
    b"\xff\xff\xff\xff",
    b'"',
    b"\\",
    b"\n",
    b"{",
    b"[",
    b"1e999",
    b" ",
]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A payload with a few stretches changed, doubled, moved or left out."""
    for _ in range(chance.randint(1, 4)):
        at, end = sorted(chance.randint(0, len(data)) for _ in range(2))
        end = min(end, at + chance.choice([1, 4, 16, 400]))
        kind = chance.randrange(5)
        if kind == 0:
            data = data[:at] + data[end:]
        elif kind == 1:
            data = data[:end] + data[at:end] + data[end:]
        elif kind == 2:
            data = data[:at] + chance.choice(TOKENS) + data[at:]
        elif kind == 3:
            data = data[:at] + chance.choice(TOKENS) + data[end:]
        elif data:
            at = chance.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    return data[:20_000]


@pytest.mark.parametrize("name", TARGETS)
def test_mutations_are_taken_or_refused(name: str) -> None:
    chance = random.Random(name)
    target = TARGETS[name]
    for seed in seeds(name):
        target(seed)
        for _ in range(ROUNDS):
            target(mutated(seed, chance))


@pytest.mark.parametrize("name", TARGETS)
def test_no_mutation_takes_much_memory(name: str) -> None:
    chance = random.Random(name + "/memory")
    payloads = [mutated(seed, chance) for seed in seeds(name) for _ in range(3)]
    TARGETS[name](b"")
    tracemalloc.start()
    try:
        for payload in payloads:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            TARGETS[name](payload)
            assert tracemalloc.get_traced_memory()[1] - before < MEMORY_MAX
    finally:
        tracemalloc.stop()
