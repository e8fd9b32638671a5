"""Which points stand together in a block, and what is in the blocks that are read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np

from watchband.adapters.stores.scored.block import Scored, decode, encode
from watchband.core.errors import StateCorruptError
from watchband.core.points import Int64

log = logging.getLogger("watchband.scores")
SERIES_A_BLOCK = 64
POINTS_A_BLOCK = 32_768
"""More of few series are cut into several blocks, so that one series is read without a crowd of others."""


def blocks_of(buffer: Sequence[tuple[Int64, Scored]]) -> list[tuple[int, int, int, int, bytes]]:
    """First and last series, first and last time and bytes of every block that a buffer makes."""
    numbers = np.concatenate([n for n, _ in buffer])
    points = Scored(*(np.concatenate([getattr(p, f.name) for _, p in buffer]) for f in fields(Scored)))
    order = np.lexsort((points.time, numbers))
    numbers, points = numbers[order], points.at(order)
    found = []
    for a, b in cuts(numbers):
        series, counts = np.unique(numbers[a:b], return_counts=True)
        some = points.at(slice(a, b))
        times = int(some.time.min()), int(some.time.max())
        found.append((int(series[0]), int(series[-1]), *times, encode(series, counts, some)))
    return found


def whole_of(bodies: Sequence[bytes]) -> tuple[Int64, Scored]:
    """All points of some blocks with the numbers of their series, in order of both; of equal ones the last given."""
    numbers, parts = [np.zeros(0, np.int64)], [Scored.empty()]
    for body in bodies:
        try:
            series, counts, points = decode(body)
        except StateCorruptError as error:
            log.warning("a block of scored points is left out: %s", error)
            continue
        numbers.append(np.repeat(series, counts))
        parts.append(points)
    number, whole = (
        np.concatenate(numbers),
        Scored(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Scored))),
    )
    order = np.lexsort((whole.time, number))
    n, t = number[order], whole.time[order]
    order = order[np.r_[(n[1:] != n[:-1]) | (t[1:] != t[:-1]), True][: len(order)]]
    return number[order], whole.at(order)


def cuts(numbers: Int64) -> Iterator[tuple[int, int]]:
    """Where blocks begin and end: at every 64th series, and before the series that makes one too large."""
    edges = np.r_[0, np.flatnonzero(np.diff(numbers)) + 1, len(numbers)].tolist()
    start = 0
    for a, b in pairwise(edges):
        if a > start and (
            b - start > POINTS_A_BLOCK or numbers[a] // SERIES_A_BLOCK != numbers[start] // SERIES_A_BLOCK
        ):
            yield start, a
            start = a
    yield start, len(numbers)


def opened(bodies: Sequence[bytes]) -> Iterator[tuple[int, Scored]]:
    """Every series of every block; a damaged block is left out."""
    for body in bodies:
        try:
            series, counts, points = decode(body)
        except StateCorruptError as error:
            log.warning("a block of scored points is left out: %s", error)
            continue
        edges = np.r_[0, np.cumsum(counts)].tolist()
        for number, (a, b) in zip(series.tolist(), pairwise(edges), strict=True):
            yield number, points.at(slice(a, b))


def sliced(buffer: Sequence[tuple[Int64, Scored]]) -> Iterator[tuple[int, Scored]]:
    """Every series of every batch that is buffered."""
    for numbers, points in buffer:
        order = np.argsort(numbers, kind="stable")
        sorted_ = numbers[order]
        for a, b in pairwise(np.r_[0, np.flatnonzero(np.diff(sorted_)) + 1, len(sorted_)].tolist()):
            yield int(sorted_[a]), points.at(order[a:b])
