"""One random cut tree, slow and plain: trees of objects, boxes from the points beneath, weights looked at one by one.

The random numbers are those of the kernel, everything else is written anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
WEIGHT, ENTRY, CUT = 1, 2, 3
F32 = np.float32


def mix(bits: int) -> int:
    bits &= WORD
    bits = ((bits ^ bits >> 30) * 0xBF58476D1CE4E5B9) & WORD
    bits = ((bits ^ bits >> 27) * 0x94D049BB133111EB) & WORD
    return bits ^ bits >> 31


def draw(seed: int, tree: int, use: int, number: int) -> int:
    start = mix(mix(seed + GOLDEN) ^ mix((tree << 3 | use) * GOLDEN))
    return mix(start + number * GOLDEN)


def unit(bits: int) -> float:
    return ((bits >> 11) + 0.5) / 2.0**53


@dataclass(eq=False)
class Leaf:
    """A point and the numbers of the values it ends with, one for each time it was sampled."""

    point: np.ndarray
    numbers: list[int]

    def points(self) -> list[np.ndarray]:
        return [self.point]


@dataclass(eq=False)
class Cut:
    """A cut: values up to it are on the left."""

    dim: int
    at: np.float32
    left: Leaf | Cut
    right: Leaf | Cut

    def points(self) -> list[np.ndarray]:
        return self.left.points() + self.right.points()

    def side(self, point: np.ndarray) -> str:
        return "left" if point[self.dim] <= self.at else "right"


def mass(node: Leaf | Cut) -> int:
    """How many samples are beneath."""
    return len(node.numbers) if isinstance(node, Leaf) else mass(node.left) + mass(node.right)


def total(parts: np.ndarray) -> np.float32:
    """The sum of float32 values over four lanes, the lanes added at the end."""
    lanes = [F32(0)] * 4
    for i, part in enumerate(parts):
        lanes[i % 4] = F32(lanes[i % 4] + part)
    return F32(F32(lanes[0] + lanes[2]) + F32(lanes[1] + lanes[3]))


def beyond(points: list[np.ndarray], point: np.ndarray) -> np.ndarray:
    """By dimension, how far a point lies outside of the box of others."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    return np.maximum(low - point, F32(0)) + np.maximum(point - high, F32(0))


def separation(points: list[np.ndarray], point: np.ndarray) -> float:
    out = float(total(beyond(points, point)))
    return out / (out + float(total(np.max(points, axis=0) - np.min(points, axis=0)))) if out > 0 else 0.0


@dataclass
class Tree:
    """One tree with its sample."""

    seed: int
    number: int
    samples: int
    memory: float
    root: Leaf | Cut | None = None
    held: dict[int, np.ndarray] = field(default_factory=dict)

    def weight(self, number: int) -> float:
        return math.log(-math.log(unit(draw(self.seed, self.number, WEIGHT, number)))) - number / self.memory

    def trail(self, point: np.ndarray) -> list[Leaf | Cut]:
        assert self.root is not None
        path = [self.root]
        while isinstance(node := path[-1], Cut):
            path.append(getattr(node, node.side(point)))
        return path

    def score(self, point: np.ndarray) -> float:
        *above, leaf = self.trail(point)
        assert isinstance(leaf, Leaf)
        depth, mass = len(above), len(self.held)
        if np.array_equal(leaf.point, point):
            own = len(leaf.numbers)
            return (1 - own / (2 * mass)) / (depth + math.log2(1 + own)) * math.log2(1 + mass)
        score = 1 / (depth + 1)
        for at in reversed(range(depth)):
            chance = separation(above[at].points(), point)
            score = (1 - chance) * score + chance / (at + 1)
        return score * math.log2(1 + mass)

    def attribution(self, point: np.ndarray) -> np.ndarray:
        """The score shared out by value, above and below: float64[2, dims]. All 0 where the point is known."""
        path = self.trail(point)
        shares = np.zeros((2, len(point)))
        if not np.array_equal(path[-1].points()[0], point):
            for depth in reversed(range(len(path))):
                points = path[depth].points()
                low, high = np.min(points, axis=0), np.max(points, axis=0)
                parts = np.maximum([point - high, low - point], 0).astype(float)
                whole = parts.sum() + float((high - low).astype(float).sum())
                shares = shares * (1 - separation(points, point)) + parts / whole / (depth + 1)
        return shares * math.log2(1 + len(self.held))

    def displacement(self, point: np.ndarray) -> float:
        """Of every place a cut may put the point to, its chance times its largest ratio of sibling to own side."""
        path = self.trail(point)
        masses = [mass(node) for node in path]
        ratios = [(masses[k] - masses[k + 1]) / (masses[k + 1] + 1) for k in range(len(path) - 1)]
        if np.array_equal(path[-1].points()[0], point):
            return max(ratios, default=0.0)
        total, left = 0.0, 1.0
        for depth, node in enumerate(path):
            chance = separation(node.points(), point)
            total += left * chance * max([masses[depth], *ratios[:depth]])
            left *= 1 - chance
        return total

    def offer(self, point: np.ndarray, number: int) -> None:
        filled = len(self.held) / self.samples
        largest = max(self.held, key=self.weight, default=None)
        welcome = min(1.0, 1 - (filled - 0.125) / 0.875)
        grows = filled < 1 and unit(draw(self.seed, self.number, ENTRY, number)) < welcome
        evicts = largest is not None and self.weight(number) < self.weight(largest)
        if grows or evicts:
            self.insert(point, number)
        if evicts and not grows and largest is not None:
            self.delete(largest)

    def insert(self, point: np.ndarray, number: int) -> None:
        self.held[number] = point
        if self.root is None:
            self.root = Leaf(point, [number])
            return
        path = self.trail(point)
        leaf = path[-1]
        if isinstance(leaf, Leaf) and np.array_equal(leaf.point, point):
            leaf.numbers.append(number)
            return
        bits = draw(self.seed, self.number, CUT, number)
        for depth, node in enumerate(path):
            chance = separation(node.points(), point)
            share = unit(mix(bits + depth))
            if share < chance or node is leaf:
                parent = path[depth - 1] if depth else None
                self.replace(parent, node, self.cut(node, point, number, share / chance))
                return

    def cut(self, node: Leaf | Cut, point: np.ndarray, number: int, share: float) -> Cut:
        """A new node with the point on one side and ``node`` on the other."""
        points = node.points()
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        parts = beyond(points, point).astype(float)
        rest = share * float(sum(parts.tolist()))
        dims = np.flatnonzero(parts)
        for dim in dims:
            if rest < parts[dim]:
                break
            if dim != dims[-1]:
                rest -= parts[dim]
        start, end = (point[dim], low[dim]) if point[dim] < low[dim] else (high[dim], point[dim])
        at = max(F32(float(start) + min(rest, parts[dim])), start)
        at = at if at < end else start
        leaf = Leaf(point, [number])
        return Cut(int(dim), at, *((leaf, node) if point[dim] <= at else (node, leaf)))

    def delete(self, number: int) -> None:
        path = self.trail(self.held.pop(number))
        leaf = path[-1]
        assert isinstance(leaf, Leaf)
        leaf.numbers.remove(number)
        if leaf.numbers:
            return
        if len(path) == 1:
            self.root = None
            return
        parent = path[-2]
        assert isinstance(parent, Cut)
        sibling = parent.right if parent.left is leaf else parent.left
        self.replace(path[-3] if len(path) > 2 else None, parent, sibling)

    def replace(self, parent: Leaf | Cut | None, old: Leaf | Cut, new: Leaf | Cut) -> None:
        if parent is None:
            self.root = new
        elif isinstance(parent, Cut) and parent.left is old:
            parent.left = new
        elif isinstance(parent, Cut):
            parent.right = new
