"""Series keys: metric name and labels, in one canonical text form."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from watchband.core.errors import ConfigError

_PAIR = re.compile(r'\s*(?P<name>[^\s={},"]+)\s*=\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*(?P<end>,|$)')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BAD_NAME = re.compile(r'[\s={},"\\]')
_ESCAPED_NAME = re.compile(r"[\\{}]")


@dataclass(frozen=True, order=True)
class SeriesKey:
    r"""A series: the name of its metric and its labels.

    Parameters
    ----------
    metric : str
        Name of the metric, not empty. Any text: braces and backslashes are escaped when printed.
    labels : mapping of str to str, default none
        Label names are not empty and hold no space, quote, brace, comma, backslash or ``=``. A label with
        an empty value is the same as no label (as Prometheus has it) and is dropped.

    Raises
    ------
    ConfigError
        Empty metric name or a label name that cannot be printed.

    Examples
    --------
    >>> key = SeriesKey("cpu", {"zone": "a", "host": "web-1"})
    >>> str(key)
    'cpu{host="web-1",zone="a"}'
    >>> SeriesKey.parse(str(key)) == key
    True
    >>> str(key.entity)
    '{host="web-1",zone="a"}'
    """

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    _pairs: tuple[tuple[str, str], ...] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.metric:
            raise ConfigError("A series needs a metric name. Got an empty one.")
        for name in self.labels:
            if not is_label_name(name):
                raise ConfigError(
                    f'Label name {name!r} of {self.metric!r} is empty or holds one of space " = {{ }} , \\. Rename it.'
                )
        pairs = tuple(sorted((k, str(v)) for k, v in self.labels.items() if str(v)))
        object.__setattr__(self, "_pairs", pairs)
        object.__setattr__(self, "labels", MappingProxyType(dict(pairs)))
        # A key is looked up many times for each reading.
        object.__setattr__(self, "_hash", hash((self.metric, pairs)))

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        name = _ESCAPED_NAME.sub(lambda m: "\\" + m.group(), self.metric)
        return name + _print_labels(self._pairs) if self._pairs else name

    def __reduce__(self) -> tuple[type[SeriesKey], tuple[str, dict[str, str]]]:
        return SeriesKey, (self.metric, dict(self._pairs))

    @classmethod
    def parse(cls, text: str) -> SeriesKey:
        """Read the text form back; the inverse of ``str``.

        Raises
        ------
        ConfigError
            Not of the form ``name{label="value",…}``; says where it stopped.
        """
        start = re.search(r"(?<!\\)(?:\\\\)*\{", text)
        brace = start.end() - 1 if start else len(text)
        metric = _UNESCAPE.sub(r"\1", text[:brace])
        return cls(metric, _parse_labels(text, brace))

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that stay the same in every process and release."""
        return hashlib.blake2b(str(self).encode(), digest_size=8).hexdigest()

    @property
    def entity(self) -> Entity:
        """The key without the metric name: what is watched, say a host."""
        return Entity(self._pairs)


def is_storable(text: str) -> bool:
    r"""Whether every store can keep a text: it is UTF-8 (no half of a surrogate pair) and holds no NUL.

    Examples
    --------
    >>> is_storable("é\u2603"), is_storable("\ud800"), is_storable("a\0b")
    (True, False, False)
    """
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_label_name(text: str) -> bool:
    """Whether a label may be called so: not empty, without space, quote, brace, comma, backslash and ``=``."""
    return bool(text) and _BAD_NAME.search(text) is None


@dataclass(frozen=True, order=True)
class Entity:
    """Labels without a metric name. The partition key of threads, streams and stores."""

    pairs: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return _print_labels(self.pairs)


def _print_labels(pairs: tuple[tuple[str, str], ...]) -> str:
    quoted = (f'{k}="{"".join(_ESCAPES.get(c, c) for c in v)}"' for k, v in pairs)
    return "{" + ",".join(quoted) + "}"


def _parse_labels(text: str, brace: int) -> dict[str, str]:
    if brace == len(text):
        return {}
    if not text.endswith("}"):
        raise ConfigError(f"Series {text!r} opens a brace at {brace} and never closes it; add a closing brace.")
    labels: dict[str, str] = {}
    at, body = 0, text[brace + 1 : -1]
    while at < len(body):
        match = _PAIR.match(body, at)
        if not match:
            raise ConfigError(
                f'Series {text!r} cannot be read from position {brace + 1 + at}: expected label="value". '
                "Got " + repr(body[at : at + 20]) + "."
            )
        value = match["value"]
        labels[match["name"]] = _UNESCAPE.sub(lambda m: "\n" if m[1] == "n" else m[1], value)
        at = match.end()
    return labels
