"""Paths into JSON documents: ``results[*].values[*]``, ``^.^.code``, ``['odd name']``, ``#``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from watchband.core.errors import ConfigError, DataError

LENGTH_MAX = 512
_STEP = re.compile(
    r"\.?(?:(?P<up>\^)|(?P<key>#)$|\[(?P<index>-?[0-9]{1,6})\]|\[(?P<all>\*)\]|(?P<star>\*)"
    r"|\['(?P<single>[^']*)'\]|\[\"(?P<double>[^\"]*)\"\]|(?P<name>[^\s.\[\]'\"*^#$]+))"
)
_MISSING = object()

Step = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A value that a path leads to, with the way there: for each step the container and the key in it."""

    value: Any
    trail: tuple[tuple[Any, Any], ...] = ()


@dataclass(frozen=True)
class Path:
    """A path into a JSON document.

    Parameters
    ----------
    text : str
        Names and indices, one after the other: ``a.b[0]``, ``[-1]`` (the last), ``[*]`` or ``*`` (each of a list or a
        mapping), ``['any name']``. ``$`` at the beginning is the document itself; ``^`` is what something stands in;
        ``#`` at the end is the name or place under which it stands there. ``.`` is the value where one is.

    Raises
    ------
    ConfigError
        Not of that form; says where.

    Examples
    --------
    >>> document = {"sensors": {"a": {"celsius": 27.2}, "b": {"celsius": 25.0}}}
    >>> found = list(Path("sensors.*.celsius").matches(Match(document)))
    >>> [match.value for match in found], Path("^.#").one(found[1])
    ([27.2, 25.0], 'b')
    """

    text: str
    _steps: tuple[Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_steps", tuple(self._read()))

    @cached_property
    def single(self) -> bool:
        """Whether it leads to one place at most."""
        return all(kind != "all" for kind, _ in self._steps)

    def matches(self, start: Match) -> Iterator[Match]:
        """Every value it leads to from a place; none where there is nothing."""
        return self._follow(start, 0)

    def one(self, start: Match) -> Any:
        """The value it leads to.

        Raises
        ------
        DataError
            There is nothing.
        """
        for match in self._follow(start, 0):
            return match.value
        raise DataError(f"There is nothing at {self.text!r}.")

    def _read(self) -> Iterator[Step]:
        text = self.text.strip()
        if len(text) > LENGTH_MAX:
            raise ConfigError(f"A path has at most {LENGTH_MAX} characters. Got {len(text)}.")
        at = 0
        if text.startswith("$"):
            yield "root", None
            at = 1
        elif text == ".":
            return
        while at < len(text):
            match = _STEP.match(text, at)
            if match is None:
                raise ConfigError(
                    f"The path {self.text!r} cannot be read from character {at + 1}: expected names and indices such "
                    "as results[0].values[*].date."
                )
            kind = str(match.lastgroup)
            if kind == "index":
                yield "index", int(match["index"])
            elif kind in ("name", "single", "double"):
                yield "name", match[kind]
            else:
                yield {"up": "up", "key": "key"}.get(kind, "all"), None
            at = match.end()

    def _follow(self, at: Match, number: int) -> Iterator[Match]:
        if number == len(self._steps):
            yield at
            return
        kind, key = self._steps[number]
        for child in _children(at, kind, key):
            yield from self._follow(child, number + 1)

    def __str__(self) -> str:
        return self.text


def _children(at: Match, kind: str, key: Any) -> Iterator[Match]:
    value, trail = at.value, at.trail
    if kind == "root":
        yield Match(trail[0][0]) if trail else at
    elif kind == "up":
        if trail:
            yield Match(trail[-1][0], trail[:-1])
    elif kind == "key":
        if trail:
            yield Match(trail[-1][1], trail)
    elif kind == "name":
        if isinstance(value, dict) and (found := value.get(key, _MISSING)) is not _MISSING:
            yield Match(found, (*trail, (value, key)))
    elif kind == "index":
        if isinstance(value, list) and -len(value) <= key < len(value):
            yield Match(value[key], (*trail, (value, key % len(value))))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield Match(child, (*trail, (value, index)))
    elif isinstance(value, dict):
        for name, child in value.items():
            yield Match(child, (*trail, (value, name)))
