"""Which series are meant: label matchers as Prometheus writes them, ``cpu{host=~"web-.*",env!="dev"}``."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import cached_property

from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey

LENGTH_MAX = 4096
_NAME = re.compile(r"[^\s={},\"'!~]+")
_LABEL = re.compile(
    r"\s*(?P<name>[^\s={},\"'!~]+)\s*(?P<operator>=~|!~|!=|=)\s*"
    r"(?:\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)')\s*(?P<end>,|$)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
METRIC = "__name__"


@dataclass(frozen=True, slots=True)
class LabelMatcher:
    """One condition: ``name operator "value"``; a label that is missing counts as empty."""

    name: str
    operator: str
    value: str
    pattern: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    def matches(self, text: str) -> bool:
        """Whether a label's value fulfils it; patterns match the whole value."""
        found = text == self.value if self.pattern is None else self.pattern.fullmatch(text) is not None
        return found != self.operator.startswith("!")


@dataclass(frozen=True)
class Selector:
    """Series by name and labels.

    Parameters
    ----------
    text : str
        ``cpu``, ``cpu{host="a"}``, ``{job=~"api|web",env!="dev"}`` or ``*`` for all. Patterns are anchored at both
        ends, as Prometheus has it.

    Raises
    ------
    ConfigError
        Not of that form, or a pattern that is no regular expression; says where.

    Examples
    --------
    >>> web = Selector('cpu{host=~"web-.*",env!="dev"}')
    >>> [web.matches(SeriesKey("cpu", {"host": h})) for h in ("web-1", "db-1")]
    [True, False]
    """

    text: str

    def __post_init__(self) -> None:
        _ = self.conditions

    @cached_property
    def conditions(self) -> tuple[LabelMatcher, ...]:
        """Every condition; the metric's name is the label ``__name__``."""
        text = self.text.strip()
        if not text or len(text) > LENGTH_MAX:
            raise ConfigError(f"A selector has 1 to {LENGTH_MAX} characters; '*' selects everything. Got {len(text)}.")
        if text == "*":
            return ()
        name = _NAME.match(text)
        rest = text[name.end() :].strip() if name else text
        found = [LabelMatcher(METRIC, "=", name.group())] if name else []
        if not rest:
            return tuple(found)
        if not (rest.startswith("{") and rest.endswith("}")):
            raise self._error(text.index(rest))
        body, at, offset = rest[1:-1], 0, text.index(rest) + 1
        while body[at:].strip():
            match = _LABEL.match(body, at)
            if match is None:
                raise self._error(offset + at)
            found.append(self._matcher(match))
            at = match.end()
        return tuple(found)

    def matches(self, key: SeriesKey) -> bool:
        """Whether a series is meant."""
        return all(c.matches(key.metric if c.name == METRIC else key.labels.get(c.name, "")) for c in self.conditions)

    def __str__(self) -> str:
        return self.text

    def _matcher(self, match: re.Match[str]) -> LabelMatcher:
        quoted = match["double"] if match["double"] is not None else match["single"]
        value = _ESCAPE.sub(lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), quoted)
        if "~" not in match["operator"]:
            return LabelMatcher(match["name"], match["operator"], value)
        try:
            # In a pattern only the quotes were escaped for the text's sake; \d and \. belong to the pattern.
            return LabelMatcher(match["name"], match["operator"], quoted, compiled(_pattern(quoted)))
        except ConfigError as error:
            raise ConfigError(f"The pattern {quoted!r} for label {match['name']!r} {error}") from None

    def _error(self, at: int) -> ConfigError:
        return ConfigError(
            f'The selector {self.text!r} cannot be read from character {at + 1}: expected name{{label="value",…}} with '
            "= != =~ or !~."
        )


def _pattern(quoted: str) -> str:
    return _ESCAPE.sub(lambda m: m[1] if m[1] in "\"'\\" else m.group(), quoted)


_CLASS = re.compile(r"\[:(\^?)(\w+):\]")
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r"\t ",
    "digit": "0-9",
    "lower": "a-z",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as Prometheus reads it: the dot is every character, ``[[:alpha:]]`` a class.

    Raises
    ------
    ConfigError
        It is no regular expression, or one that only RE2 knows; begins with "is no".
    """

    def expand(match: re.Match[str]) -> str:
        return match.group() if match[1] else _CLASSES.get(match[2], match.group())

    try:
        with warnings.catch_warnings():
            # What the future may read in "[[" is no news to a user.
            warnings.simplefilter("ignore")
            return re.compile(_CLASS.sub(expand, pattern), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"is no regular expression: {error}.") from None
