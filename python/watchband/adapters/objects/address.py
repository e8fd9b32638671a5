"""Addresses of objects: ``s3://bucket/metrics/{date}/*.csv.gz?since=7d`` and ``file:///data/{date}.csv``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.objects.bucket import Bucket
from watchband.adapters.objects.folder import Folder
from watchband.adapters.objects.place import Entry, ObjectPath, Place
from watchband.adapters.objects.template import Template
from watchband.core import params
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError, DataError
from watchband.core.kinds import Size
from watchband.core.timestamp import parse_rfc3339

SCHEMES = ("s3://", "file://")
FORM = "s3://BUCKET/KEY or s3://BUCKET/FOLDER/{date}/*.csv.gz, with ?since=7d, region=, profile=, endpoint_url="
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ACCESS = ("region", "profile", "role_arn", "endpoint_url")
_OWN = ("since", "until", "max_objects", "max_size", "max_object_size")
OBJECTS_MAX = 10_000
TOTAL_BYTES = 20 << 30
OBJECT_BYTES = 5 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call reads at most: objects, bytes in all, bytes of one."""

    objects: int = OBJECTS_MAX
    total: int = TOTAL_BYTES
    each: int = OBJECT_BYTES


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its parts.

    Parameters
    ----------
    scheme, bucket : str
        ``s3`` or ``file``; of a folder no bucket.
    template : Template
        Which objects.
    since, until : str, optional
        Times: a duration before now (``7d``), a date or an RFC 3339 time.
    access : mapping
        Parameters of ``AwsAccess``.
    limits : Limits
        What is read at most.
    """

    scheme: str
    bucket: str
    template: Template
    since: str | None
    until: str | None
    access: dict[str, Any]
    limits: Limits

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Raises
        ------
        ConfigError
            It is none.

        Examples
        --------
        >>> found = Address.parse("s3://my-bucket/cpu/{date}.csv?region=eu-west-1&since=7d")
        >>> found.bucket, found.template.text, found.since, found.access
        ('my-bucket', 'cpu/{date}.csv', '7d', {'region': 'eu-west-1'})
        """
        place, _, query = text.partition("?")
        scheme, _, rest = place.partition("://")
        given = dict(parse_qsl(query, keep_blank_values=True))
        bucket, _, key = rest.partition("/") if scheme == "s3" else ("", "", rest)
        if f"{scheme}://" not in SCHEMES or (scheme == "s3" and _BUCKET.fullmatch(bucket) is None):
            raise ConfigError(f"{text!r} is no address of objects. Write {FORM}.")
        if unknown := sorted(set(given) - {*_ACCESS, *_OWN}):
            raise ConfigError(f"{unknown[0]!r} in {text!r} is not known. Expected {', '.join((*_OWN, *_ACCESS))}.")
        return cls(
            scheme,
            bucket,
            Template(key),
            given.get("since"),
            given.get("until"),
            {name: given[name] for name in _ACCESS if name in given},
            _limits(given),
        )

    def place(self, clock: Clock) -> Place:
        """Where the objects lie."""
        if self.scheme == "file":
            return Folder("/" if self.template.text.startswith("/") else Path.cwd())
        access = AwsAccess(**self.access)
        params.check(access)
        access.check_access()
        return Bucket(self.bucket, access, clock)

    def window(self, now: int) -> tuple[int | None, int | None]:
        """``since`` and ``until`` as ns UTC."""
        since, until = (None if text is None else _moment(text, now) for text in (self.since, self.until))
        return since, now if until is None and since is not None else until


def _limits(given: dict[str, str]) -> Limits:
    found = {}
    for name, part, low in (
        ("max_objects", "objects", None),
        ("max_size", "total", Size()),
        ("max_object_size", "each", Size()),
    ):
        if name in given:
            try:
                value = int(given[name]) if low is None else low.read(given[name])
                if not isinstance(value, int) or value < 1:
                    raise ValueError
            except ValueError:
                expected = "a whole number >= 1" if low is None else "a size such as 512MB"
                raise ConfigError(f"{name} must be {expected}. Got {given[name]!r}.") from None
            found[part] = value
    return Limits(**found)


def _moment(text: str, now: int) -> int:
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_rfc3339(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        raise ConfigError(f"{text!r} is no time. Expected 7d, 2026-01-31 or 2026-01-31T06:00:00Z.") from None


def objects_of(text: str, suffixes: Sequence[str], clock: Clock | None = None) -> list[ObjectPath]:
    """The objects that an address means, ordered by key.

    Parameters
    ----------
    text : str
        The address.
    suffixes : sequence of str
        Of the objects that are read of a whole folder.
    clock : Clock, optional
        Says what ``since=7d`` is.

    Raises
    ------
    ConfigError
        No address; nothing is there; more than the limits allow.
    AdapterError
        S3 says no.
    """
    clock = clock or SystemClock()
    address = Address.parse(text)
    place = address.place(clock)
    since, until = address.window(clock.now())
    found, total = [], 0
    for entry in _meant(place, address.template, suffixes, since, until):
        if entry.size > address.limits.each:
            raise DataError(
                f"{place.name}/{entry.key} has {entry.size:,} bytes; at most {address.limits.each:,} are read of one "
                "object. Raise max_object_size, or split it."
            )
        found.append(ObjectPath(place, entry))
        total += entry.size
        if len(found) > address.limits.objects or total > address.limits.total:
            raise DataError(
                f"{text!r} means more than {address.limits.objects:,} objects or {address.limits.total:,} bytes. "
                "Narrow it with since= and until=, or raise max_objects and max_size."
            )
    if not found:
        window = " in the time that was asked for" if since is not None or until is not None else ""
        raise ConfigError(f"No object of {place.name} fits {address.template.text!r}{window}.")
    return found


def _meant(
    place: Place, template: Template, suffixes: Sequence[str], since: int | None, until: int | None
) -> list[Entry]:
    if template.plain:
        return list(_plain(place, template.text, suffixes))
    found: dict[str, Entry] = {}
    for prefix in template.prefixes(since, until):
        for entry in place.entries(prefix.lstrip("/")):
            key = f"/{entry.key}" if template.text.startswith("/") else entry.key
            span = None if entry.key.endswith("/") else template.span(key)
            if span is not None and (since is None or span[1] > since) and (until is None or span[0] < until):
                found[entry.key] = entry
    return [found[key] for key in sorted(found)]


def _plain(place: Place, key: str, suffixes: Sequence[str]) -> list[Entry]:
    """The object of that name, or else everything in the folder of that name."""
    key = key.lstrip("/")
    if key and not key.endswith("/") and (one := place.find(key)) is not None:
        return [one]
    folder = key if not key or key.endswith("/") else f"{key}/"
    inside = place.entries(folder)
    return [e for e in inside if e.key.lower().endswith(tuple(suffixes)) and not _hidden(e.key[len(folder) :])]


def _hidden(key: str) -> bool:
    return any(part.startswith((".", "_")) for part in key.split("/"))
