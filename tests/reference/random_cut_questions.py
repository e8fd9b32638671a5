"""Questions asked of random cut trees, slow and plain: recursion, no stacks; sorting, no selection."""

from __future__ import annotations

import numpy as np

from tests.reference.random_cut_tree import Cut, Leaf, Tree, mass, total


def leaves(node: Leaf | Cut, point: np.ndarray, known: np.ndarray) -> list[Leaf]:
    """Where the point may come to lie, whatever its missing values are."""
    if isinstance(node, Leaf):
        return [node]
    sides = [node.left, node.right] if not known[node.dim] else [getattr(node, node.side(point))]
    return [leaf for side in sides for leaf in leaves(side, point, known)]


def nearest(trees: list[Tree], point: np.ndarray, known: np.ndarray) -> list[tuple[np.float32, int, np.ndarray]]:
    """Of each tree the nearest leaf: distance, number of its newest sample, its values."""
    found = []
    for tree in trees:
        if tree.root is not None:
            each = [
                (total(np.where(known, np.abs(leaf.point - point), np.float32(0))), -max(leaf.numbers), leaf.point)
                for leaf in leaves(tree.root, point, known)
            ]
            distance, number, values = min(each, key=lambda e: (e[0], e[1]))
            found.append((distance, -number, values))
    return found


def nearer_half(found: list[tuple[np.float32, int, np.ndarray]]) -> list[tuple[np.float32, int, np.ndarray]]:
    bound = sorted(f[0] for f in found)[(len(found) - 1) // 2]
    return [f for f in found if f[0] <= bound]


def imputed(trees: list[Tree], point: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The values of a point, those it lacks as the middle of the nearer half has them: float64."""
    near = np.array([values for _, _, values in nearer_half(nearest(trees, point, known))], float)
    return np.where(known, point, np.median(near, axis=0))


def ahead(trees: list[Tree], rows: list[np.ndarray], shingle: int, horizon: int, tail: float) -> np.ndarray:
    """What came after the nearer half: float64[3, horizon, dims], middle, lower and upper quantile."""
    point = np.concatenate(rows[-shingle:])
    found = nearer_half(nearest(trees, point, np.ones(len(point), bool)))
    answer = np.empty((3, horizon, len(rows[0])))
    last = np.array([rows[-1]] * 3, float)
    for step in range(horizon):
        ways = [rows[number + 1 + step] for _, number, _ in found if number + 1 + step < len(rows)]
        if ways:
            table = np.array(ways, float)
            last = np.array([np.median(table, axis=0), *np.quantile(table, [tail, 1 - tail], axis=0)])
        answer[:, step] = last
    return answer


def density(trees: list[Tree], point: np.ndarray, power: float) -> np.ndarray:
    """Shares of the density, above and below by value: float64[2, length]."""
    chance, share, width = (np.zeros((2, len(point))) for _ in range(3))
    same = 0.0
    every = [tree for tree in trees if tree.root is not None]
    for tree in every:
        path = tree.trail(point)
        if np.array_equal(path[-1].points()[0], point):
            same += mass(path[-1]) / len(tree.held)
            continue
        left = 1.0
        for node in path:
            points = np.array(node.points(), float)
            low, high = points.min(axis=0), points.max(axis=0)
            out = np.maximum([point - high, low - point], 0)
            grown = float((np.maximum(high, point) - np.minimum(low, point)).sum())
            if out.sum() > 0:
                here = left * out / grown
                chance += here
                share += here * mass(node) / len(tree.held)
                width += here * (np.maximum(high, point) - np.minimum(low, point))
                left *= 1 - out.sum() / grown
    some = chance > 0
    room = (chance[some] * (width[some] / chance[some]) ** power).sum()
    return (share + same / share.size) / room
