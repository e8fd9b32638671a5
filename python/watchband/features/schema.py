"""The stored schema of features: read back, and held against what this release makes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError
from watchband.features.families import Family
from watchband.features.feature_set import SCHEMA_VERSION, FeatureSet

_ADVICE = "Make the matrix anew, or train the model anew, with this release."


def read(document: Mapping[str, Any]) -> FeatureSet:
    """The set that a stored schema describes.

    Raises
    ------
    ConfigError
        The document is no schema, is of another version, or this release makes other features by it.
    """
    if not isinstance(document, Mapping) or "schema_version" not in document:
        raise ConfigError("This is no schema of features: it has no 'schema_version'. Give what schema() wrote.")
    version = document["schema_version"]
    if version != SCHEMA_VERSION:
        raise ConfigError(
            f"This schema of features has version {version!r}, this release makes version {SCHEMA_VERSION}: names or "
            f"formulas differ. {_ADVICE}"
        )
    try:
        found = FeatureSet(
            columns=tuple(str(name) for name in document["columns"]),
            families=tuple(Family(f["kind"], tuple(f["sizes"])) for f in document["families"]),
            interval_ns=None if document["interval"] is None else parse_duration(document["interval"]),
            timezone=document["timezone"],
            holidays=document["holidays"],
            share=document["share"],
            ranges=tuple((_bound(low, -math.inf), _bound(high, math.inf)) for low, high in document["ranges"]),
            label=str(document["set"]),
        )
        names = list(document["names"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"This schema of features cannot be read: {type(error).__name__}: {error}.") from error
    if drift := difference(names, found.names):
        raise ConfigError(f"This schema of features does not fit this release: {drift} {_ADVICE}")
    return found


def check(document: Mapping[str, Any], features: FeatureSet) -> None:
    """Raise unless a stored schema is that of ``features``.

    Raises
    ------
    ConfigError
        Names what differs: features that are missing, new or in another order, or a setting that changes numbers.
    """
    stored = read(document)
    if drift := difference(stored.names, features.names):
        raise ConfigError(f"The stored features are not those given: {drift} Use the set that the model was made for.")
    ours, theirs = features.schema(), stored.schema()
    other = [
        f"{key} {theirs[key]!r} and not {ours[key]!r}" for key in ours if ours[key] != theirs[key] and key != "set"
    ]
    if other:
        raise ConfigError(f"The stored features were made with {'; '.join(other)}. Use the same settings.")


def difference(stored: Sequence[str], given: Sequence[str]) -> str:
    """What differs between two lists of names, as a sentence; empty where nothing does."""
    if list(stored) == list(given):
        return ""
    lacking = [name for name in stored if name not in set(given)]
    new = [name for name in given if name not in set(stored)]
    parts = [f"{_some(lacking)} missing"] * bool(lacking) + [f"{_some(new)} new"] * bool(new)
    if not parts:
        return "the same features come in another order."
    return f"{' and '.join(parts)}."


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{shown}{more} {'is' if len(names) == 1 else 'are'}"


def _bound(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)
