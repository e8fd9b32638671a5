"""Parameters as data: one declaration makes the check, its message, the JSON Schema and the docs table."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from watchband.core.errors import ConfigError, InvalidParameterError, UnknownNameError

T = TypeVar("T")


class Constraint(Protocol):
    """What a parameter may be. ``str()`` completes the sentence "must be …"."""

    def allows(self, value: object) -> bool: ...

    def schema(self) -> dict[str, Any]: ...

    def read(self, text: str) -> object:
        """The value a command-line text stands for; ValueError if none."""
        ...


@dataclass(frozen=True)
class Integer:
    """A whole number between ``low`` and ``high``, both included."""

    low: int
    high: int | None = None

    def allows(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return value >= self.low and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        return f"an integer >= {self.low}" if self.high is None else f"an integer from {self.low} to {self.high}"

    def schema(self) -> dict[str, Any]:
        top = {} if self.high is None else {"maximum": self.high}
        return {"type": "integer", "minimum": self.low, **top}

    def read(self, text: str) -> object:
        return int(text)


@dataclass(frozen=True)
class Real:
    """A finite number in an interval whose ends may be open."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def allows(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        # A whole number of hundreds of digits is no float at all.
        if not abs(value) <= sys.float_info.max:
            return False
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def __str__(self) -> str:
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number"
        if math.isinf(self.high):
            return f"a number {'>' if self.low_open else '>='} {self.low:g}"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"a number in {left}{self.low:g}, {self.high:g}{right}"

    def schema(self) -> dict[str, Any]:
        result: dict[str, Any] = {"type": "number"}
        if math.isfinite(self.low):
            result["exclusiveMinimum" if self.low_open else "minimum"] = self.low
        if math.isfinite(self.high):
            result["exclusiveMaximum" if self.high_open else "maximum"] = self.high
        return result

    def read(self, text: str) -> object:
        return float(text)


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        return "one of " + ", ".join(map(repr, self.words))

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}

    def read(self, text: str) -> object:
        return text


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def allows(self, value: object) -> bool:
        return isinstance(value, bool)

    def __str__(self) -> str:
        return "true or false"

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def read(self, text: str) -> object:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return words.get(text.lower(), text)


@dataclass(frozen=True)
class Text:
    """Any text; ``meaning`` says which."""

    meaning: str = "a text"

    def allows(self, value: object) -> bool:
        return isinstance(value, str)

    def __str__(self) -> str:
        return self.meaning

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def read(self, text: str) -> object:
        return text


@dataclass(frozen=True)
class Maybe:
    """None, or what another constraint allows."""

    inner: Constraint

    def allows(self, value: object) -> bool:
        return value is None or self.inner.allows(value)

    def __str__(self) -> str:
        return f"{self.inner}, or none"

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}

    def read(self, text: str) -> object:
        return None if text.lower() in ("none", "null", "") else self.inner.read(text)

    def write(self, value: object) -> object:
        """The value as people write it."""
        return written(self.inner, value)


@dataclass(frozen=True)
class Span:
    """A search over numbers from ``low`` to ``high``, whole ones where both are; ``log`` by ratio, not by distance.

    Examples
    --------
    >>> str(Span(10, 2000, log=True)), Span(0.5, 8.0).tidy(3.14159)
    ('10 to 2000 by ratio', 3.14)
    """

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Only whole numbers are searched."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def tidy(self, value: float) -> float:
        """A value as people would write it: three digits are more than a search can tell apart."""
        return value if self.whole or not value else min(max(float(f"{value:.3g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}" + (" by ratio" if self.log else "")


@dataclass(frozen=True)
class Among:
    """A search over a few values.

    Examples
    --------
    >>> str(Among((1, 2, "auto")))
    '1, 2, auto'
    """

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ", ".join(str(v) for v in self.values)


@dataclass(frozen=True)
class Past:
    """A search for a limit of a metric, as the quantile ``low`` to ``high`` of its own past values.

    Examples
    --------
    >>> str(Past(0.9, 1.0))
    '0.9 to 1 of the past values'
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} of the past values"


Search = Span | Among | Past


@dataclass(frozen=True)
class Param:
    """One declared parameter.

    ``retunable``: may change without making old states unusable. ``later``: came when states had been written without
    it, which are those of its default; so a default is no part of the fingerprint. ``search``: where tuning looks for
    a better value; None leaves it alone.
    """

    constraint: Constraint
    doc: str
    unit: str = ""
    retunable: bool = False
    later: bool = False
    search: Search | None = None


REQUIRED: Any = dataclasses.MISSING
"""The default of a parameter that has none: it must be given. Its dataclass takes keywords only (``kw_only=True``)."""


def param(
    default: Any,
    constraint: Constraint,
    doc: str,
    *,
    unit: str = "",
    retunable: bool = False,
    later: bool = False,
    search: Search | None = None,
) -> Any:
    """A dataclass field with its constraint, unit and meaning; without a default it is ``REQUIRED``."""
    declared = Param(constraint, doc, unit, retunable, later, search)
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, metadata={"param": declared})
    return dataclasses.field(default=default, metadata={"param": declared})


def defaults_of(cls: type) -> dict[str, Any]:
    """The defaults of the declared parameters; required ones are not among them."""
    found = {}
    for field in dataclasses.fields(cls):
        if "param" in field.metadata:
            if field.default is not dataclasses.MISSING:
                found[field.name] = field.default
            elif field.default_factory is not dataclasses.MISSING:
                found[field.name] = field.default_factory()
    return found


def params_of(cls: type) -> dict[str, Param]:
    """The declared parameters of a dataclass, in order."""
    return {f.name: f.metadata["param"] for f in dataclasses.fields(cls) if "param" in f.metadata}


def searches_of(cls: type) -> dict[str, Search]:
    """The parameters that tuning searches, and where."""
    return {name: declared.search for name, declared in params_of(cls).items() if declared.search is not None}


def check(owner: object) -> None:
    """Raise InvalidParameterError for the first parameter outside its constraint."""
    for name, declared in params_of(type(owner)).items():
        value = getattr(owner, name)
        if not declared.constraint.allows(value):
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(owner).__name__} must be {declared.constraint}. Got {value!r}."
            )


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """An instance from a mapping; an unknown key names the nearest known one."""
    known = params_of(cls)
    for name in values:
        if name not in known:
            raise UnknownNameError(f"parameter of {cls.__name__}", name, known)
    return cls(**values)


def read_text(cls: type, text: str) -> dict[str, Any]:
    """Read ``key=value,key=value`` as the command line writes it.

    Raises
    ------
    ConfigError
        A part without ``=``, an unknown key, or a text that cannot be the parameter's value.
    """
    known = params_of(cls)
    values: dict[str, Any] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(f"Parameter {part!r} of {cls.__name__} has no value. Write {part}=VALUE.")
        if name not in known:
            raise UnknownNameError(f"parameter of {cls.__name__}", name, known)
        try:
            values[name] = known[name].constraint.read(value)
        except ValueError as error:
            raise InvalidParameterError(
                f"The {name!r} parameter of {cls.__name__} must be {known[name].constraint}. Got {value!r}."
            ) from error
    return values


def values_of(owner: object) -> dict[str, Any]:
    """Every parameter and its value."""
    return {name: getattr(owner, name) for name in params_of(type(owner))}


def shaping(owner: object) -> dict[str, Any]:
    """The parameters that shape a state, and so its fingerprint: none that is retunable, nor a later one's default."""
    defaults = defaults_of(type(owner))
    return {
        name: getattr(owner, name)
        for name, declared in params_of(type(owner)).items()
        if not declared.retunable and not (declared.later and getattr(owner, name) == defaults[name])
    }


def written(constraint: Constraint, value: object) -> object:
    """A value as people write it: a duration is kept in nanoseconds, and written ``5m``."""
    write = getattr(constraint, "write", None)
    return value if write is None or value is None else write(value)


def schema(cls: type) -> dict[str, Any]:
    """JSON Schema of the parameters."""
    defaults = defaults_of(cls)
    properties: dict[str, Any] = {}
    for name, declared in params_of(cls).items():
        described = declared.doc + (f" Unit: {declared.unit}." if declared.unit else "")
        default = {"default": written(declared.constraint, defaults[name])} if name in defaults else {}
        properties[name] = {**declared.constraint.schema(), **default, "description": described}
    required = [name for name in properties if name not in defaults]
    found = {"type": "object", "title": cls.__name__, "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {})


def table(cls: type) -> str:
    """The parameters as a Markdown table, as it stands in the docs."""
    defaults = defaults_of(cls)
    lines = ["| parameter | default | must be | meaning |", "|---|---|---|---|"]
    for name, declared in params_of(cls).items():
        unit = f" ({declared.unit})" if declared.unit else ""
        doc = declared.doc + (" Can be changed on a running state." if declared.retunable else "")
        default = f"`{written(declared.constraint, defaults[name])}`" if name in defaults else "required"
        lines.append(f"| `{name}` | {default} | {declared.constraint}{unit} | {doc} |")
    return "\n".join(lines) + "\n"
