"""Constraints for what adapters and the configuration take besides numbers: durations, addresses, secrets, lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from watchband.core.duration import format_duration, parse_duration
from watchband.core.params import Constraint
from watchband.core.secret import Secret

_DURATION = r"^[0-9.]+ ?[a-zµ]+([0-9.]+[a-zµ]+)*$|^P[0-9.]|^[a-z]+$"


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
        return {"type": "string", "pattern": _DURATION, "examples": ["30s", "5m", "1h30m", "2w"]}

    def read(self, text: str) -> object:
        return 0 if self.low == 0 and text.strip() == "0" else parse_duration(text)


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

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.inner.schema()}

    def read(self, text: str) -> object:
        raise ValueError("a mapping is not written in one word")
