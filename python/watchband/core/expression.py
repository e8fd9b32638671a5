"""A small language of arithmetic over series: ``errors / requests``, ``1 - free_bytes / size_bytes``.

::

    expression  sum ["every" duration]
    sum         product  (("+" | "-") [matching] product)*
    product     unary    (("*" | "/" | "%") [matching] unary)*
    unary       "-" unary | atom
    atom        number | series | function "(" sum ("," sum)* ")" | "(" sum ")"
    series      name ["{" label matchers "}"] | "{" label matchers "}"
    function    abs | sqrt | rate | min | max
    matching    ("on" | "ignoring") "(" [label ("," label)*] ")"

Nothing in it loops, calls or remembers: a text is as safe as its length is bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watchband.core.duration import format_duration, parse_duration
from watchband.core.errors import ConfigError
from watchband.core.matcher import Selector

LENGTH_MAX = 4096
DEPTH_MAX = 50
SERIES_MAX = 32
"""Series that one expression reads."""
FUNCTIONS = {"abs": (1, 1), "sqrt": (1, 1), "rate": (1, 1), "min": (2, 16), "max": (2, 16)}
"""Least and most arguments."""
_WORDS = ("on", "ignoring", "every")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![A-Za-z_0-9.:]))"
    r"|(?P<name>[A-Za-z_:][A-Za-z0-9_:.]*)|(?P<symbol>[-+*/%(),{]))"
)
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_DURATION = re.compile(r"\s*([0-9][0-9A-Za-zµ.]*)\s*$")
_BRACES = re.compile(r"\{(?:[^{}\"']|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')*\}", re.DOTALL)

Pairs = tuple[tuple[str, str], ...]
"""Labels, sorted by name."""


class ExpressionError(ConfigError):
    """An expression that cannot be read; the message shows the place with a caret.

    Parameters
    ----------
    text : str
        The expression.
    at : int
        Index of the character at fault.
    message : str
        What is wrong and what was expected.
    """

    def __init__(self, text: str, at: int, message: str) -> None:
        self.text, self.at = text, at
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        line = text[start : len(text) if end < 0 else end]
        # Long lines are shown around the place; tabs stay, so that the caret stands where it should.
        cut = max(0, at - start - 60)
        shown = line[cut : cut + 100]
        indent = "".join("\t" if c == "\t" else " " for c in shown[: at - start - cut])
        super().__init__(f"{message} Character {at + 1} of the expression:\n  {shown}\n  {indent}^")


@dataclass(frozen=True, slots=True)
class Matching:
    """Which labels have to be equal for two series to be computed with each other.

    Parameters
    ----------
    kind : str
        ``equal``: all labels; ``on``: only ``labels``; ``ignoring``: all but ``labels``.
    labels : tuple of str
        Names.

    Examples
    --------
    >>> Matching("on", ("host",)).key((("host", "a"), ("mode", "idle")))
    (('host', 'a'),)
    """

    kind: str = "equal"
    labels: tuple[str, ...] = ()

    def key(self, pairs: Pairs) -> Pairs:
        """The labels that count, which are those of the result."""
        if self.kind == "equal":
            return pairs
        keep = self.kind == "on"
        return tuple(pair for pair in pairs if (pair[0] in self.labels) == keep)

    def __str__(self) -> str:
        return "" if self.kind == "equal" else f" {self.kind}({', '.join(self.labels)})"


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}" if float(f"{self.value:g}") == self.value else repr(self.value)


@dataclass(frozen=True, slots=True)
class Series:
    """Series of a selector; ``rate``: how fast they count up, per second."""

    selector: Selector
    rate: bool = False

    def __str__(self) -> str:
        return f"rate({self.selector})" if self.rate else str(self.selector)


@dataclass(frozen=True, slots=True)
class Unary:
    """``-``, ``abs`` or ``sqrt`` of something."""

    operator: str
    child: Node

    def __str__(self) -> str:
        return f"-({self.child})" if self.operator == "-" else f"{self.operator}({self.child})"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides and an operator: ``+ - * / %``, ``min`` or ``max``."""

    operator: str
    left: Node
    right: Node
    matching: Matching = Matching()

    def __str__(self) -> str:
        if self.operator in FUNCTIONS:
            return f"{self.operator}({self.left}, {self.right})"
        return f"({self.left} {self.operator}{self.matching} {self.right})"


Node = Number | Series | Unary | Binary


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read.

    Parameters
    ----------
    text : str
        As written.
    root : Node
        What is computed.
    every : int, optional
        Width in ns of the slots that readings are put in; None: times have to be equal.

    Examples
    --------
    >>> parsed = parse_expression("1 - free_bytes / size_bytes every 1m")
    >>> str(parsed), [str(s) for s in parsed.selectors]
    ('(1 - (free_bytes / size_bytes)) every 1m', ['free_bytes', 'size_bytes'])
    """

    text: str
    root: Node
    every: int | None = None

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Every series that is read, in order, once."""
        return tuple(dict.fromkeys(node.selector for node in _walk(self.root) if isinstance(node, Series)))

    def __str__(self) -> str:
        return str(self.root) + (f" every {format_duration(self.every)}" if self.every else "")


def parse_expression(text: str) -> Expression:
    """Read an expression.

    Parameters
    ----------
    text : str
        Such as ``errors{job="api"} / on(host) requests``. At most 4,096 characters, 50 levels and 32 series.

    Raises
    ------
    ExpressionError
        It is none; the message shows where and what was expected.

    Examples
    --------
    >>> str(parse_expression('-a * 2 + min(b, c, 1e3)'))
    '((-(a) * 2) + min(min(b, c), 1000))'
    """
    if len(text) > LENGTH_MAX:
        raise ExpressionError(text, LENGTH_MAX, f"An expression has at most {LENGTH_MAX:,} characters.")
    return _Parser(text).expression()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.series = 0
        self.advance()

    def advance(self) -> None:
        """Read the next token: its kind ('' at the end), its text, where it begins."""
        rest = self.text[self.at :]
        if not rest.strip():
            self.kind, self.token, self.start = "", "", len(self.text.rstrip())
            self.at = len(self.text)
            return
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            at = len(self.text) - len(rest.lstrip())
            raise self.error(f"{self.text[at]!r} means nothing here.", at)
        self.kind = str(match.lastgroup)
        self.token, self.start = match[self.kind], match.start(self.kind)
        self.at = match.end()

    def error(self, message: str, at: int | None = None) -> ExpressionError:
        return ExpressionError(self.text, self.start if at is None else at, message)

    def got(self) -> str:
        return f"Got {self.token!r}." if self.kind else "The expression ends here."

    def take(self, symbol: str, where: str) -> None:
        if self.token != symbol or self.kind != "symbol":
            raise self.error(f"Expected {symbol!r} {where}. {self.got()}")
        self.advance()

    def expression(self) -> Expression:
        root = self.sum(0)
        every = None
        if self.kind == "name" and self.token == "every":
            every = self.duration()
        elif self.kind:
            raise self.error(f"Expected an operator (+ - * / %) or the end. {self.got()}")
        if not self.series:
            raise self.error("An expression reads at least one series; this one is a constant.", 0)
        return Expression(self.text, root, every)

    def duration(self) -> int:
        match = _DURATION.match(self.text, self.at)
        if match is None:
            raise self.error("Expected a duration at the end, such as: every 1m.", self.at)
        try:
            return parse_duration(match[1])
        except ValueError as error:
            raise self.error(str(error), match.start(1)) from None

    def sum(self, depth: int) -> Node:
        return self.operations(depth, "+-", self.product)

    def product(self, depth: int) -> Node:
        return self.operations(depth, "*/%", self.unary)

    def operations(self, depth: int, operators: str, part: Callable[[int], Node]) -> Node:
        left = part(depth + 1)
        while self.kind == "symbol" and self.token in operators:
            operator, at = self.token, self.start
            self.advance()
            matching = self.matching()
            right = part(depth + 1)
            if matching.kind != "equal" and (_constant(left) or _constant(right)):
                raise self.error(f"{matching.kind!r} joins series; one of the sides is a constant.", at)
            left = Binary(operator, left, right, matching)
        return left

    def matching(self) -> Matching:
        if self.kind != "name" or self.token not in ("on", "ignoring"):
            return Matching()
        kind = self.token
        self.advance()
        self.take("(", f"behind {kind!r}")
        labels: list[str] = []
        while not (self.kind == "symbol" and self.token == ")"):
            if self.kind != "name" or _LABEL.fullmatch(self.token) is None:
                raise self.error(f"Expected the name of a label. {self.got()}")
            labels.append(self.token)
            self.advance()
            if self.kind == "symbol" and self.token == ",":
                self.advance()
            elif not (self.kind == "symbol" and self.token == ")"):
                raise self.error(f"Expected ',' or ')' behind a label. {self.got()}")
        self.advance()
        return Matching(kind, tuple(labels))

    def unary(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self.error(f"An expression has at most {DEPTH_MAX} levels.")
        if self.kind == "symbol" and self.token == "-":
            self.advance()
            child = self.unary(depth + 1)
            return Number(-child.value) if isinstance(child, Number) else Unary("-", child)
        return self.atom(depth)

    def atom(self, depth: int) -> Node:
        if self.kind == "number":
            value = float(self.token)
            if not math.isfinite(value):
                raise self.error("This number is larger than a 64-bit float holds.")
            self.advance()
            return Number(value)
        if self.kind == "symbol" and self.token == "(":
            self.advance()
            inner = self.sum(depth + 1)
            self.take(")", "that closes the bracket")
            return inner
        if self.kind == "name" and self.token in FUNCTIONS and self.text[self.at :].lstrip().startswith("("):
            return self.call(depth)
        if (self.kind == "name" and self.token not in _WORDS) or (self.kind == "symbol" and self.token == "{"):
            return self.selector()
        raise self.error(f"Expected a series, a number or '('. {self.got()}")

    def call(self, depth: int) -> Node:
        name, at = self.token, self.start
        self.advance()
        self.advance()
        arguments = [self.sum(depth + 1)]
        while self.kind == "symbol" and self.token == ",":
            self.advance()
            arguments.append(self.sum(depth + 1))
        self.take(")", f"that closes {name}(")
        least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise self.error(f"{name}() takes {count} argument{'s' * (most > 1)}. Got {len(arguments)}.", at)
        first = arguments[0]
        if name == "rate":
            if not isinstance(first, Series) or first.rate:
                raise self.error("rate() takes a series that counts up, as it is: rate(requests_total).", at)
            return Series(first.selector, rate=True)
        if least == 1:
            return Unary(name, first)
        for other in arguments[1:]:
            first = Binary(name, first, other)
        return first

    def selector(self) -> Node:
        start = self.start
        end = start if self.token == "{" else self.at
        braces = _BRACES.match(self.text, end + len(self.text[end:]) - len(self.text[end:].lstrip()))
        if braces is not None:
            end = braces.end()
        elif self.token == "{":
            raise self.error("This brace is never closed.")
        try:
            found = Selector(self.text[start:end])
        except ConfigError as error:
            raise self.error(str(error), start) from None
        self.series += 1
        if self.series > SERIES_MAX:
            raise self.error(f"An expression reads at most {SERIES_MAX} series.", start)
        self.at = end
        self.advance()
        if self.kind == "symbol" and self.token == "{":
            raise self.error("This brace is never closed, or holds something else than label matchers.")
        return Series(found)


def _constant(node: Node) -> bool:
    return not any(isinstance(part, Series) for part in _walk(node))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Unary):
        yield from _walk(node.child)
    elif isinstance(node, Binary):
        yield from _walk(node.left)
        yield from _walk(node.right)
