"""Constraints for what adapters and the configuration take besides numbers: durations, addresses, secrets, lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from watchband.core.duration import format_duration, parse_duration
from watchband.core.params import Constraint, params_of, schema, written
from watchband.core.secret import Secret

_SIZE = r"^([0-9]+(?:\.[0-9]+)?) ?([kKMGT]?i?B)?$"
_BYTES = {"B": 1, "KB": 10**3, "KIB": 2**10, "MB": 10**6, "MIB": 2**20, "GB": 10**9, "GIB": 2**30} | {
    "TB": 10**12,
    "TIB": 2**40,
}
_UNITS = ("w", "d", "h", "m", "s", "ms", "us", "ns")
_LISTEN = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})"
_DURATION = (
    r"^( ?[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w|y))+$|^[Pp][0-9TtWwDdHhMmSs.]+$"
    r"|^([0-9]+(\.[0-9]+)? *)?(second|minute|hour|day|week|month|quarter|year)s?$"
)


@dataclass(frozen=True)
class Duration:
    """A duration between two others, nanoseconds inside, ``5m`` outside."""

    low: int = 1
    high: int | None = None

    def allows(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return value >= self.low and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        low = f" of at least {format_duration(self.low)}" if self.low > 1 else ""
        high = f" of at most {format_duration(self.high)}" if self.high is not None else ""
        return f"a duration such as 30s, 5m or 2w{low}{' and' if low and high else ''}{high}"

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string", "pattern": _DURATION, "examples": ["30s", "5m", "1h30m", "2w"]}
        return {"anyOf": [found, {"const": 0}]} if self.low == 0 else found

    def read(self, text: str) -> object:
        return 0 if self.low == 0 and text.strip() in ("0", "0s") else parse_duration(text)

    def write(self, value: object) -> object:
        """The value as people write it: in one unit, ``30d`` and not ``4w2d``."""
        if not isinstance(value, int):
            return value
        fits = [unit for unit in _UNITS if value and value % parse_duration(f"1{unit}") == 0]
        return f"{value // parse_duration(f'1{fits[0]}')}{fits[0]}" if fits else format_duration(value)


@dataclass(frozen=True)
class Size:
    """A number of bytes between two others, written ``512MB`` or ``4GiB``.

    Examples
    --------
    >>> Size().read("4GB"), Size().read("1.5KiB"), Size().write(4_000_000_000)
    (4000000000, 1536, '4GB')
    """

    low: int = 1
    high: int | None = None

    def allows(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return value >= self.low and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        low = f" of at least {self.write(self.low)}" if self.low > 1 else ""
        high = f" of at most {self.write(self.high)}" if self.high is not None else ""
        return f"a size such as 512MB or 4GiB{low}{' and' if low and high else ''}{high}"

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "pattern": _SIZE}, {"type": "integer", "minimum": self.low}]}

    def read(self, text: str) -> object:
        match = re.fullmatch(_SIZE, text)
        if match is None:
            raise ValueError(text)
        factor = _BYTES[(match[2] or "B").upper()]
        # Whole numbers stay exact however large.
        return round(float(match[1]) * factor) if "." in match[1] else int(match[1]) * factor

    def write(self, value: object) -> object:
        """The value as people write it."""
        if not isinstance(value, int):
            return value
        fits = [unit for unit, factor in _BYTES.items() if value and value % factor == 0]
        unit = max(fits, key=_BYTES.__getitem__, default="B")
        return f"{value // _BYTES[unit]}{unit.replace('I', 'i')}"


@dataclass(frozen=True)
class Listen:
    """Where a server listens: ``HOST:PORT`` or ``[::1]:PORT``; port 0 is any free one."""

    def allows(self, value: object) -> bool:
        match = re.fullmatch(_LISTEN, value) if isinstance(value, str) else None
        return match is not None and int(match["port"]) < 65536

    def __str__(self) -> str:
        return "HOST:PORT, such as 127.0.0.1:8470, or 0.0.0.0:8470 for every address of this machine"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_LISTEN.replace('?P<port>', '')}$"}

    def read(self, text: str) -> object:
        return text


@dataclass(frozen=True)
class FilePath:
    """The path of a file or directory; a relative one begins where the configuration stands."""

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and bool(value) and "\0" not in value

    def __str__(self) -> str:
        return "a path, relative to the configuration file"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}

    def read(self, text: str) -> object:
        return text


@dataclass(frozen=True)
class Group:
    """Parameters of a dataclass of its own."""

    cls: type

    def allows(self, value: object) -> bool:
        return isinstance(value, self.cls)

    def __str__(self) -> str:
        return "a mapping with " + ", ".join(params_of(self.cls))

    def schema(self) -> dict[str, Any]:
        return schema(self.cls)

    def read(self, text: str) -> object:
        raise ValueError("a mapping is not written in one word")

    def write(self, value: object) -> object:
        """The values as people write them, in YAML's short form."""
        return {name: written(p.constraint, getattr(value, name)) for name, p in params_of(self.cls).items()}


@dataclass(frozen=True)
class Url:
    """An address of one of some schemes, with a host and without a password in it."""

    schemes: tuple[str, ...] = ("http", "https")

    def allows(self, value: object) -> bool:
        if not isinstance(value, str) or re.search(r"[\s\x00-\x1f]", value):
            return False
        try:
            parts = urlsplit(value)
            port_fits = parts.port is None or parts.port > 0
        except ValueError:
            return False
        return parts.scheme in self.schemes and bool(parts.hostname) and not parts.password and port_fits

    def __str__(self) -> str:
        return f"an address such as {self.schemes[0]}://host/path ({' or '.join(self.schemes)}, no password in it)"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uri", "pattern": f"^({'|'.join(self.schemes)})://"}

    def read(self, text: str) -> object:
        return text


@dataclass(frozen=True)
class SecretText:
    """A secret, given as ``name: ${VARIABLE}`` or as ``name_file: /run/secrets/name``."""

    def allows(self, value: object) -> bool:
        return isinstance(value, Secret)

    def __str__(self) -> str:
        return "a secret: ${VARIABLE} of the environment, or its file under the same name with _file"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "writeOnly": True}

    def read(self, text: str) -> object:
        return Secret(text)


@dataclass(frozen=True)
class ListOf:
    """A list of what another constraint allows; a single one stands for a list of one."""

    inner: Constraint
    least: int = 0

    def allows(self, value: object) -> bool:
        return isinstance(value, tuple) and len(value) >= self.least and all(map(self.inner.allows, value))

    def __str__(self) -> str:
        return ("a list, each " if not self.least else f"a list of at least {self.least}, each ") + str(self.inner)

    def schema(self) -> dict[str, Any]:
        one = self.inner.schema()
        return {"anyOf": [{"type": "array", "items": one, "minItems": self.least}, one]}

    def read(self, text: str) -> object:
        return (self.inner.read(text),)


@dataclass(frozen=True)
class MapOf:
    """Names with what another constraint allows."""

    inner: Constraint
    names: str = ".+"

    def allows(self, value: object) -> bool:
        return isinstance(value, dict) and all(
            isinstance(k, str) and re.fullmatch(self.names, k) and self.inner.allows(v) for k, v in value.items()
        )

    def __str__(self) -> str:
        return f"a mapping from names to {self.inner}"

    @property
    def named(self) -> str:
        """What a name may be, in words."""
        return f"it must match {self.names}"

    def schema(self) -> dict[str, Any]:
        names = {} if self.names == ".+" else {"propertyNames": {"pattern": f"^(?:{self.names})$"}}
        return {"type": "object", "additionalProperties": self.inner.schema(), **names}

    def read(self, text: str) -> object:
        raise ValueError("a mapping is not written in one word")
