"""Half-space trees as nodes with children, made from the same random numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

STEP = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mix(bits: int) -> int:
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & MASK
    return bits ^ (bits >> 31)


def draw(key: int, at: int) -> int:
    return mix((key + at * STEP) & MASK)


def key(seed: int, tree: int, purpose: int) -> int:
    return mix(mix((seed + purpose) & MASK) ^ mix((tree + (purpose << 32)) & MASK))


@dataclass
class Node:
    depth: int
    attribute: int = 0
    cut: float = 0.0
    children: list[Node] = field(default_factory=list)
    reference: int = 0
    latest: int = 0

    def child(self, point: np.ndarray, ranges: np.ndarray, which: str) -> Node:
        value = point[self.attribute]
        left, right = self.children
        if math.isnan(value):
            return right if getattr(left, which) < getattr(right, which) else left
        start, width = ranges[self.attribute]
        return right if value >= start + self.cut * width else left

    def all(self) -> list[Node]:
        return [self, *(node for child in self.children for node in child.all())]


def grow(seed: int, tree: int, number: int, height: int, dims: int, left: dict[int, tuple[float, float]]) -> Node:
    """Node of this number with everything below; ``left`` is the range that each attribute still has."""
    node = Node(number.bit_length() - 1)
    if node.depth == height:
        return node
    node.attribute = draw(key(seed, tree, 102), number) * dims >> 64
    centre = ((draw(key(seed, tree, 101), node.attribute) >> 11) + 0.5) / 2**53
    far = 2 * max(centre, 1 - centre)
    low, high = left.get(node.attribute, (centre - far, centre + far))
    node.cut = 0.5 * (low + high)
    for side, half in enumerate([(low, node.cut), (node.cut, high)]):
        node.children.append(grow(seed, tree, 2 * number + side, height, dims, {**left, node.attribute: half}))
    return node


def learned(window: list[np.ndarray], before: np.ndarray) -> np.ndarray:
    """Start and width of each attribute."""
    ranges = before.copy()
    for a in range(len(before)):
        values = sorted(float(point[a]) for point in window if not math.isnan(point[a]))
        if not values:
            continue
        inner = values[1:-1]
        low, high = (inner[0], inner[-1]) if inner and inner[0] < inner[-1] else (values[0], values[-1])
        width = max(high - low, 1e-12 * max(abs(low), abs(high)), np.finfo(float).tiny)
        ranges[a] = 0.5 * low + 0.5 * high - 0.5 * width, width
    return ranges


def half_space_trees(
    values: np.ndarray, trees: int, height: int, window: int, limit: float = 0.1, seed: int = 0
) -> np.ndarray:
    """Score of each point, a row of ``values``, of one series."""
    dims = values.shape[1]
    roots = [grow(seed, tree, 1, height, dims, {}) for tree in range(trees)]
    of_reference = of_latest = np.zeros((dims, 2))
    score, seen, windows, length = np.full(len(values), np.nan), [], 0, max(10, window // 5)
    for now, raw in enumerate(values):
        point = np.clip(np.where(np.isfinite(raw), raw, np.nan), -1e300, 1e300)
        if np.isfinite(point).any():
            if windows >= 2:
                density = 0.0
                for node in roots:
                    while node.children and node.reference > int(limit * window):
                        node = node.child(point, of_reference, "reference")
                    density += node.reference * 2**node.depth
                score[now] = max(0.0, math.log2(2**height * trees * window / (density + 0.5)))
            for node in roots if windows >= 1 else []:
                node.latest += 1
                while node.children:
                    node = node.child(point, of_latest, "latest")
                    node.latest += 1
            seen.append(point)
        length -= 1
        if not length:
            for node in (node for root in roots for node in root.all()):
                node.reference, node.latest = node.latest, 0
            of_reference, of_latest = of_latest, learned(seen, of_latest)
            seen, windows, length = [], windows + 1, window
    return score
