"""Values of a foreign file: whatever stands there is read as far as it makes sense, and nothing makes it stumble."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from watchband.core.duration import SECOND, parse_duration
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration

Level = Literal["mapped", "approximated", "left_out"]
_WORDS = {"mapped": "Mapped", "approximated": "Approximated", "left_out": "Left out"}
_PLACEHOLDER = re.compile(r"%\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Note:
    """What was done with something of the file."""

    level: Level
    said: str

    @property
    def sentence(self) -> str:
        """For a comment."""
        return f"{_WORDS[self.level]}: {self.said}"


def as_mapping(value: object) -> dict[str, Any]:
    """The mapping, or none of anything else."""
    return {str(key): child for key, child in value.items()} if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[Any]:
    """The list; one of a single value, none of nothing."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def number(value: object) -> float | None:
    """A finite number, also one written as a text; None of anything else."""
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def neat(value: float) -> int | float:
    """A whole number without its point."""
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def seconds(value: object) -> float | None:
    """A duration in seconds: ``1m``, ``P2D`` or a bare number; None of anything else."""
    bare = number(value)
    if bare is not None:
        return bare if bare > 0 else None
    try:
        # Pandas writes days and hours in capitals.
        return parse_duration(str(value).strip().lower()) / SECOND if isinstance(value, str) else None
    except ConfigError:
        return None


def duration(value: float) -> str:
    """Seconds as a duration."""
    return str(Duration(0).write(max(1, round(value * SECOND))))


def text(value: object) -> str:
    """A text in which ``%{NAME}`` is ``${NAME}``, and other dollars are no variables."""
    from watchband.apps.config.writing import undollared

    return _PLACEHOLDER.sub(r"${\1}", undollared(str(value)))


def variable(value: object) -> str | None:
    """The variable's name where a value is nothing but a placeholder."""
    match = _PLACEHOLDER.fullmatch(str(value).strip())
    return match[1] if match else None
