"""``--fail-if``: a condition over the counts of a run, read without ever being executed."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchband.core.errors import ConfigError, UnknownNameError

NAMES = ("alerts", "critical", "warning", "info", "series", "points")

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class Condition:
    """A condition such as ``critical > 0 or alerts >= 5``.

    Parameters
    ----------
    text : str
        Names ``alerts``, ``critical``, ``warning``, ``info``, ``series``, ``points``; numbers; ``> >= < <= == !=``;
        ``and``, ``or``, ``not`` and parentheses.
    names : sequence of str
        The names that are known, where they are others.

    Raises
    ------
    ConfigError
        Anything else; says what, and where.

    Examples
    --------
    >>> Condition("critical > 0 or alerts >= 5").holds({"critical": 0, "alerts": 6})
    True
    """

    def __init__(self, text: str, names: Sequence[str] = NAMES) -> None:
        self.text, self.names = text, tuple(names)
        self.used: list[str] = []
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError) as error:
            raise self._refusal(f"it cannot be read ({getattr(error, 'msg', error)})") from error
        if not isinstance(self._tree, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            raise self._refusal("it compares nothing")
        self._check(self._tree)

    def holds(self, counts: Mapping[str, float]) -> bool:
        """Whether the condition is true of these counts.

        Raises
        ------
        ConfigError
            A figure that it names is not known (NaN): neither true nor false would be honest.
        """
        for name in self.used:
            if math.isnan(counts[name]):
                raise ConfigError(f"--fail-if {self.text!r}: {name} is not known in this run. Leave it out.")
        return bool(self._value(self._tree, counts))

    def _refusal(self, why: str) -> ConfigError:
        return ConfigError(
            f"--fail-if {self.text!r}: {why}. Write a comparison such as 'alerts > 0' or "
            f"'critical > 0 or warning >= 3' with {', '.join(self.names)}."
        )

    def _check(self, node: ast.expr) -> None:
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self._check(value)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._check(node.operand)
        elif isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops):
            for side in (node.left, *node.comparators):
                self._check_side(side)
        else:
            raise self._refusal(f"{ast.unparse(node)!r} is not a comparison")

    def _check_side(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            if node.id not in self.names:
                raise UnknownNameError("name in --fail-if", node.id, self.names)
            self.used += [node.id] if node.id not in self.used else []
        elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
            raise self._refusal(f"{ast.unparse(node)!r} is neither a number nor a name")

    def _value(self, node: ast.expr, counts: Mapping[str, float]) -> Any:
        if isinstance(node, ast.BoolOp):
            combine = all if isinstance(node.op, ast.And) else any
            return combine(self._value(value, counts) for value in node.values)
        if isinstance(node, ast.UnaryOp):
            return not self._value(node.operand, counts)
        if isinstance(node, ast.Compare):
            sides = [self._value(side, counts) for side in (node.left, *node.comparators)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(node.ops, sides, sides[1:], strict=False))
        return counts[node.id] if isinstance(node, ast.Name) else getattr(node, "value", None)
