"""Metric math, a small part of it (User Guide: Using math expressions with CloudWatch metrics).

Numbers, ids, ``+ - * /``, comparisons, lists of ids, ``METRICS()``, ``SUM AVG MIN MAX`` over a list (per time) or over
one series (a number), ``ABS CEIL FLOOR DIFF RATE FILL IF TIME_SERIES`` and ``SEARCH``. Anything else is refused.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from watchband.testing.cloudwatch.refusal import Refusal

EXPRESSION_MAX = 2048
Search = Callable[[str, str, int], "list[Series]"]


@dataclass
class Series:
    """Values by time in seconds."""

    id: str = ""
    label: str = ""
    points: dict[int, float] = field(default_factory=dict)


_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    # User Guide: data points that would be divided by zero are left out.
    ast.Div: lambda a, b: a / b if b else math.nan,
    ast.Gt: lambda a, b: float(a > b),
    ast.Lt: lambda a, b: float(a < b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.LtE: lambda a, b: float(a <= b),
    ast.Eq: lambda a, b: float(a == b),
    ast.NotEq: lambda a, b: float(a != b),
}
_ACROSS: dict[str, Callable[[list[float]], float]] = {
    "SUM": math.fsum,
    "AVG": lambda values: math.fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
_EACH: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


def evaluated(text: str, known: Mapping[str, list[Series]], search: Search) -> list[Series]:
    """What an expression gives: one series or several.

    Raises
    ------
    Refusal
        It cannot be read, names what is not there, or gives a number.

    Examples
    --------
    >>> evaluated("m1 * 2", {"m1": [Series("m1", "", {0: 1.5})]}, lambda *a: [])[0].points
    {0: 3.0}
    """
    if not 1 <= len(text) <= EXPRESSION_MAX:
        raise Refusal("ValidationError", f"An expression has at most {EXPRESSION_MAX} characters.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        found = _Reader(known, search).value(tree)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Refusal("ValidationError", f"Error in expression {text!r}: {error}") from None
    if isinstance(found, float):
        raise Refusal("ValidationError", f"Error in expression {text!r}: it must return a time series.")
    series = found if isinstance(found, list) else [found]
    return [Series("", s.label, {t: v for t, v in s.points.items() if math.isfinite(v)}) for s in series]


class _Reader:
    def __init__(self, known: Mapping[str, list[Series]], search: Search) -> None:
        self.known, self.search = known, search

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return _joined(operator.sub, 0.0, self.value(node.operand))
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.List):
            return [one for child in node.elts for one in _many(self.value(child))]
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _joined(_OPERATORS[type(node.op)], self.value(node.left), self.value(node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPERATORS:
            return _joined(_OPERATORS[type(node.ops[0])], self.value(node.left), self.value(node.comparators[0]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._called(node.func.id, node.args)
        raise ValueError(f"unsupported: {ast.unparse(node)[:60]}")

    def _named(self, name: str) -> Any:
        if name not in self.known:
            raise ValueError(f"unknown id {name}")
        found = self.known[name]
        return found[0] if len(found) == 1 else found

    def _called(self, name: str, given: list[ast.expr]) -> Any:
        if name == "METRICS":
            wanted = given[0].value if given and isinstance(given[0], ast.Constant) else ""
            return [one for key, many in self.known.items() if str(wanted) in key for one in many]
        if name == "SEARCH":
            texts = [child.value for child in given if isinstance(child, ast.Constant)]
            if len(texts) < 2 or not all(isinstance(t, str) for t in texts[:2]):
                raise ValueError("SEARCH needs an expression and a statistic")
            period = texts[2] if len(texts) > 2 else 300
            return self.search(str(texts[0]), str(texts[1]), int(str(period)))
        if name == "FILL":
            return _filled(self.value(given[0]), given[1], self._every())
        values = [self.value(child) for child in given]
        if name in _ACROSS and len(values) == 1:
            return _across(_ACROSS[name], values[0])
        if name in _EACH and len(values) == 1:
            return _joined(lambda a, b: _EACH[name](a), values[0], 0.0)
        if name in ("DIFF", "RATE") and len(values) == 1 and isinstance(values[0], Series):
            return _steps(values[0], per_second=name == "RATE")
        if name == "IF" and len(values) == 3:
            return _chosen(*values)
        if name == "TIME_SERIES" and len(values) == 1 and isinstance(values[0], float):
            return Series("", "", dict.fromkeys(self._every(), values[0]))
        raise ValueError(f"unsupported function {name}")

    def _every(self) -> list[int]:
        return sorted({time for many in self.known.values() for one in many for time in one.points})


def _many(found: Any) -> list[Series]:
    if isinstance(found, Series):
        return [found]
    if isinstance(found, list):
        return found
    raise ValueError("a list holds ids")


def _joined(how: Callable[[float, float], float], left: Any, right: Any) -> Any:
    """Two operands, time by time where one of them has times."""
    if isinstance(left, float) and isinstance(right, float):
        return how(left, right)
    if isinstance(left, list) or isinstance(right, list):
        many = [one for side in (left, right) if isinstance(side, list) for one in side]
        if isinstance(left, list) and isinstance(right, list):
            raise ValueError("two arrays cannot be joined")
        pairs = ((one, right) if isinstance(left, list) else (left, one) for one in many)
        return [_joined(how, a, b) for a, b in pairs]
    times = [set(side.points) for side in (left, right) if isinstance(side, Series)]
    shared = sorted(set.intersection(*times))
    label = next(side.label for side in (left, right) if isinstance(side, Series))

    def at(side: Any, time: int) -> float:
        return float(side.points[time] if isinstance(side, Series) else side)

    return Series("", label, {t: how(at(left, t), at(right, t)) for t in shared})


def _across(how: Callable[[list[float]], float], found: Any) -> Any:
    if isinstance(found, Series):
        return how(list(found.points.values())) if found.points else 0.0
    times = sorted({time for one in _many(found) for time in one.points})
    return Series("", "", {t: how([one.points[t] for one in found if t in one.points]) for t in times})


def _filled(found: Any, with_what: ast.expr, times: list[int]) -> Series:
    if not isinstance(found, Series):
        raise ValueError("FILL needs a series")
    points, last = {}, math.nan
    for time in times:
        if time in found.points:
            last = found.points[time]
        repeat = isinstance(with_what, ast.Name) and with_what.id == "REPEAT"
        fixed = with_what.value if isinstance(with_what, ast.Constant) else None
        if not repeat and not isinstance(fixed, int | float):
            raise ValueError("FILL with a number or REPEAT")
        points[time] = found.points.get(time, last if repeat else float(str(fixed)))
    return Series("", found.label, points)


def _steps(found: Series, *, per_second: bool) -> Series:
    pairs = pairwise(sorted(found.points.items()))
    return Series("", found.label, {t: (b - a) / (t - s if per_second else 1) for (s, a), (t, b) in pairs})


def _chosen(condition: Any, then: Any, other: Any) -> Series:
    if not isinstance(condition, Series):
        raise ValueError("IF needs a series as its condition")
    points = {}
    for time, holds in condition.points.items():
        side = then if holds else other
        value = side.points.get(time) if isinstance(side, Series) else side
        if value is not None:
            points[time] = float(value)
    return Series("", "", points)
