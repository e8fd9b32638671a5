"""Derived series: expressions as a fold over the log, before the watches. See ``docs/expressions.md``."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from watchband.core.arithmetic import compute
from watchband.core.errors import StateCorruptError
from watchband.core.events import ControlEvent, WatermarkMoved
from watchband.core.expression import Binary, Expression, Node, Number, Pairs, Series, Unary, parse_expression
from watchband.core.matcher import Selector
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.joins import Emit, Join, Leaf, Map, Tally

MAGIC = b"WBD1"
CACHE_MAX = 1_000_000
STATE_MAX = 1 << 30


class Derive:
    """Computes series from others, entry by entry of the log.

    Parameters
    ----------
    expressions : mapping of str to str
        Name of the derived metric: expression. A later one may read what an earlier one gives.

    Attributes
    ----------
    tally : Tally
        What was left out since it was made.

    Examples
    --------
    >>> derive = Derive({"error_ratio": "errors / requests"})
    >>> host, minute = {"host": "a"}, np.array([60_000_000_000])
    >>> derive.step([Readings(SeriesKey("errors", host), minute, np.array([1.0]))])
    []
    >>> (found,) = derive.step([Readings(SeriesKey("requests", host), minute, np.array([4.0]))])
    >>> str(found.key), found.values.tolist()
    ('error_ratio{host="a"}', [0.25])
    """

    def __init__(self, expressions: Mapping[str, str]) -> None:
        self.tally = Tally()
        self._programs = {
            name: _Program(name, parse_expression(text), self.tally) for name, text in expressions.items()
        }

    def __bool__(self) -> bool:
        return bool(self._programs)

    @property
    def fingerprint(self) -> str:
        """Equal where a state may go on."""
        text = json.dumps([[name, str(program.expression)] for name, program in self._programs.items()])
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def waiting(self) -> int:
        """Readings that wait for others."""
        return sum(part.waiting for program in self._programs.values() for part in program.parts)

    def step(self, readings: Sequence[Readings], events: Sequence[ControlEvent] = ()) -> list[Readings]:
        """What is derived from one entry: first from its readings, then from its watermarks.

        Derived readings among ``readings``, as the log has them, are passed over: they come anew.
        """
        given = [reading for reading in readings if reading.key.metric not in self._programs]
        found: list[Readings] = []
        for program in self._programs.values():
            found += program.step([*given, *found], events)
        return found

    def to_bytes(self) -> bytes:
        """The state."""
        data = [[part.dump() for part in program.parts] for program in self._programs.values()]
        return MAGIC + zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)

    def load(self, data: bytes) -> None:
        """Go on from a state of the same expressions.

        Raises
        ------
        StateCorruptError
            It is none.
        """
        try:
            if data[:4] != MAGIC:
                raise ValueError("other bytes first")
            reader = zlib.decompressobj()
            text = reader.decompress(data[4:], STATE_MAX)
            for program, parts in zip(self._programs.values(), json.loads(text), strict=True):
                for part, kept in zip(program.parts, parts, strict=True):
                    part.load(kept)
        except (ValueError, TypeError, KeyError, zlib.error) as error:
            raise StateCorruptError(f"This state of the expressions cannot be read ({error}).") from None


class _Program:
    """One expression, as parts that feed each other."""

    def __init__(self, name: str, expression: Expression, tally: Tally) -> None:
        self.name, self.expression, self.tally = name, expression, tally
        self.parts: list[Leaf | Join] = []
        self._leaves: list[tuple[Selector, Leaf]] = []
        self._cache: dict[SeriesKey, tuple[Leaf, ...]] = {}
        self._keys: dict[Pairs, SeriesKey] = {}
        self._found: dict[Pairs, tuple[list[int], list[float], list[str]]] = {}
        self._build(expression.root, self._result)

    def step(self, readings: Sequence[Readings], events: Sequence[ControlEvent]) -> list[Readings]:
        self._found = {}
        for reading in readings:
            leaves = self._reads(reading.key)
            if leaves:
                pairs, source = reading.key.entity.pairs, reading.source
                for time, value in zip(reading.times.tolist(), reading.values.tolist(), strict=True):
                    for leaf in leaves:
                        leaf.push(reading.key, pairs, time, value, source)
        for event in events:
            if isinstance(event, WatermarkMoved) and event.source:
                for part in self.parts:
                    part.passed(event.source, event.time)
        return [
            Readings(self._key(pairs), np.array(times, np.int64), np.array(values, np.float64), sources[-1])
            for pairs, (times, values, sources) in self._found.items()
        ]

    def _reads(self, key: SeriesKey) -> tuple[Leaf, ...]:
        leaves = self._cache.get(key)
        if leaves is None:
            if len(self._cache) >= CACHE_MAX:
                self._cache.clear()
            leaves = self._cache[key] = tuple(leaf for selector, leaf in self._leaves if selector.matches(key))
        return leaves

    def _key(self, pairs: Pairs) -> SeriesKey:
        key = self._keys.get(pairs)
        if key is None:
            if len(self._keys) >= CACHE_MAX:
                self._keys.clear()
            key = self._keys[pairs] = SeriesKey(self.name, dict(pairs))
        return key

    def _result(self, pairs: Pairs, time: int, value: float, source: str) -> None:
        times, values, sources = self._found.setdefault(pairs, ([], [], []))
        times.append(time)
        values.append(value)
        sources.append(source)

    def _build(self, node: Node, emit: Emit) -> float | None:
        """Make the parts of a node; its value, where it is a constant."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Series):
            leaf = Leaf(node.rate, self.expression.every, emit, self.tally)
            self.parts.append(leaf)
            self._leaves.append((node.selector, leaf))
            return None
        if isinstance(node, Unary):
            operator = "neg" if node.operator == "-" else node.operator
            constant = self._build(node.child, Map(partial(compute, operator), emit).push)
            return None if constant is None else compute(operator, constant)
        return self._binary(node, emit)

    def _binary(self, node: Binary, emit: Emit) -> float | None:
        left, right = _constant(node.left), _constant(node.right)
        if left is not None and right is not None:
            return compute(node.operator, left, right)
        if right is not None:
            constant = right
            self._build(node.left, Map(lambda value: compute(node.operator, value, constant), emit).push)
        elif left is not None:
            self._build(node.right, Map(partial(compute, node.operator, left), emit).push)
        else:
            join = Join(node.operator, node.matching, emit, self.tally)
            self._build(node.left, join.left)
            self._build(node.right, join.right)
            self.parts.append(join)
        return None


def _constant(node: Node) -> float | None:
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Unary):
        value = _constant(node.child)
        return None if value is None else compute("neg" if node.operator == "-" else node.operator, value)
    if isinstance(node, Binary):
        left, right = _constant(node.left), _constant(node.right)
        return None if left is None or right is None else compute(node.operator, left, right)
    return None
