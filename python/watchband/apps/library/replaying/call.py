"""Records to a stream, as they were in time or as quickly as it takes them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.aws.put_records import KEY_MAX, Producer
from watchband.apps.library.replaying.records import Entry
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError

FORM = "kinesis://STREAM?region=REGION&profile=NAME&endpoint_url=URL"
OPTIONS = ("region", "profile", "role_arn", "endpoint_url")
BATCH = 2_000
"""Records that are handed over at a time."""
TICK_S = 0.2
"""Records that near in time are sent together."""

Progress = Callable[[int, int], None]


class Target(Protocol):
    """Where records go: taken when ``put`` returns."""

    def put(self, entries: list[tuple[str, bytes]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was sent."""

    records: int
    points: int
    seconds: float


def read_address(text: str) -> tuple[str, AwsAccess]:
    """The stream of an address, and how its account is reached.

    Raises
    ------
    ConfigError
        It is none.

    Examples
    --------
    >>> stream, access = read_address("kinesis://cloudwatch-metrics-stream?region=eu-west-1")
    >>> stream, access.region
    ('cloudwatch-metrics-stream', 'eu-west-1')
    """
    parts = urlsplit(text)
    stream = unquote(text.removeprefix("kinesis://").partition("?")[0]).strip("/")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme != "kinesis" or not stream:
        raise ConfigError(f"{text!r} is no address of a stream. Write {FORM}.")
    unknown = [name for name in given if name not in OPTIONS]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is nothing that an address of a stream has. Write {FORM}.")
    access = AwsAccess(**given)  # type: ignore[arg-type]
    access.check_access()
    return stream, access


def open_target(text: str, clock: Clock | None = None, *, ordered: bool = False) -> Producer:
    """A producer to the stream of an address."""
    stream, access = read_address(text)
    return Producer(access, stream, clock or SystemClock(), ordered=ordered)


def replay(
    entries: Iterable[Entry],
    target: Target,
    total: int,
    *,
    speed: float = math.inf,
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> Replayed:
    """Send records in their order, each not before its time at that speed.

    Parameters
    ----------
    entries : iterable of Entry
        In order of time.
    target : Target
        Where to. While it takes its time, the replay falls behind and catches up afterwards.
    total : int
        Points in all, for ``progress``.
    speed : float
        Seconds of the data a second.
    """
    clock = clock or SystemClock()
    began, first = clock.now(), None
    records = points = 0
    waiting: list[tuple[str, bytes]] = []
    held = 0

    def send() -> None:
        nonlocal records, points, held
        if waiting:
            target.put(waiting.copy())
            records, points = records + len(waiting), points + held
            waiting.clear()
            held = 0
            if progress:
                progress(points, total)

    for entry in entries:
        first = entry.time if first is None else first
        if math.isfinite(speed):
            left = began / SECOND + (entry.time - first) / SECOND / speed - clock.now() / SECOND
            if left > TICK_S:
                send()
                left = began / SECOND + (entry.time - first) / SECOND / speed - clock.now() / SECOND
                clock.sleep(max(0.0, left))
        waiting.append((_key(entry.key), entry.data))
        held += entry.points
        if len(waiting) >= BATCH:
            send()
    send()
    return Replayed(records, points, (clock.now() - began) / SECOND)


def _key(entity: str) -> str:
    """A partition key of an entity: itself, or where it is too long what stands for it."""
    return entity if len(entity) <= KEY_MAX else hashlib.blake2b(entity.encode(), digest_size=16).hexdigest()
