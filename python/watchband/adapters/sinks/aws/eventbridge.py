"""EventBridge: each change of an alert as an event, up to ten in a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.aws.failure import THROTTLED, ThrottledError
from watchband.adapters.sinks.aws.bodies import fitted, states
from watchband.adapters.sinks.aws.channel import Channel, arn_parts
from watchband.adapters.sinks.message import document, event_of
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, ConfigError, PermanentError, TransientError, WatchbandError
from watchband.core.params import Integer, Text, param
from watchband.core.ports import Notice

ENTRIES_MAX, BYTES_MAX = 10, 256_000
"""Of one call. EventBridge takes 256 KB in every account, and 1 MB where that was raised."""
ENTRY_MAX = 240_000
_SOURCE = re.compile(r"(?!aws\.)[A-Za-z0-9._/-]{1,256}")
_BUS = re.compile(r"[A-Za-z0-9._/-]{1,256}|arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[A-Za-z0-9._/-]{1,256}")
_AGAIN = ("Internal", "ServiceUnavailable", "Timeout")
_NEEDS = {"put_events": "events:PutEvents", "describe_event_bus": "events:DescribeEventBus"}
_HINTS = {
    "ResourceNotFound": "The bus is gone, or was never there: create it again or name another in 'event_bus'.",
    "NotAuthorized": "The policy of the bus must allow this account, source and detail type.",
}


@dataclass(frozen=True, kw_only=True)
class EventBridgeSettings(AwsAccess):
    """Alerts as events of Amazon EventBridge."""

    kind: ClassVar[str] = "eventbridge"

    event_bus: str = param("default", Text("the name or ARN of a bus"), "Where to.")
    source: str = param("watchband", Text("a name that does not begin with aws."), "The source that rules match.")
    detail_type: str = param("Watchband Alert", Text("text"), "The type that rules match, before what happened.")
    per_minute: int = param(600, Integer(0), "Most notices in a minute; 0: any number.")

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        if not _BUS.fullmatch(self.event_bus):
            raise ConfigError(f"'event_bus' is a name such as default, or its ARN. Got {self.event_bus!r}.")
        if not _SOURCE.fullmatch(self.source):
            raise ConfigError(f"'source' is a name that does not begin with aws., Amazon's own. Got {self.source!r}.")
        if not 1 <= len(self.detail_type) <= 100:
            raise ConfigError(f"'detail_type' has 1 to 100 characters. Got {len(self.detail_type)}.")
        region = arn_parts(self.event_bus)[0]
        if region and self.region not in (None, region):
            raise ConfigError(f"'region' is {self.region} and the bus is in {region}. Leave 'region' out.")

    def open(self, name: str, *, clock: Clock) -> EventBridge:
        """The sink; nothing outside is touched before ``write``."""
        return EventBridge(name, self)


class EventBridge:
    """Puts events; EventBridge knows no repeats, who gets one knows it by ``detail.id``."""

    at_once = ENTRIES_MAX

    def __init__(self, name: str, settings: EventBridgeSettings) -> None:
        self.name, self.per_minute = name, settings.per_minute
        self._settings = settings
        region = arn_parts(settings.event_bus)[0]
        access = replace(settings, region=region) if region else settings
        self._channel = Channel(access, "events", "eventbridge", _NEEDS, _HINTS)

    def write(self, notice: Notice) -> None:
        """Put one event."""
        (error,) = self.write_all([notice])
        if error is not None:
            raise error

    def write_all(self, notices: Sequence[Notice]) -> Sequence[WatchbandError | None]:
        """Put events, in as few calls as they fit into; one that alone was not taken is tried once more, by itself."""
        errors: list[WatchbandError | None] = []
        for part in parts([entry_of(notice, self._settings) for notice in notices]):
            try:
                found = self._put(part)
            except WatchbandError as error:
                found = [error] * len(part)
            else:
                if len(part) > 1:
                    pairs = zip(part, found, strict=True)
                    found = [self._again(entry) if isinstance(e, TransientError) else e for entry, e in pairs]
            errors += found
        return errors

    def verify(self) -> str:
        """What is known of the bus, without sending anything.

        Raises
        ------
        TransientError, PermanentError
            It cannot be reached, is not there, or may not be used.
        """
        self._channel.call("describe_event_bus", Name=self._settings.event_bus)
        return "the bus is there"

    def close(self) -> None:
        """Let go of connections."""
        self._channel.close()

    def _put(self, entries: Sequence[dict[str, Any]]) -> list[WatchbandError | None]:
        """What became of each entry of a call."""
        answer = self._channel.call("put_events", Entries=list(entries))
        results = answer.get("Entries", [])
        if len(results) != len(entries):
            raise TransientError(f"PutEvents answered for {len(results)} of {len(entries)} events.")
        return [_refusal(result) for result in results]

    def _again(self, entry: dict[str, Any]) -> WatchbandError | None:
        try:
            (found,) = self._put([entry])
        except WatchbandError as error:
            return error
        return found


def _refusal(result: dict[str, Any]) -> AdapterError | None:
    code = str(result.get("ErrorCode") or "")
    if not code:
        return None
    words = f"PutEvents did not take the event ({code}): {str(result.get('ErrorMessage') or '')[:300]}"
    if code in THROTTLED:
        return ThrottledError(words)
    if any(known in code for known in _AGAIN):
        return TransientError(words)
    hint = next((said for known, said in _HINTS.items() if known in code), "")
    return PermanentError(f"{words} {hint}".strip())


def entry_of(notice: Notice, settings: EventBridgeSettings) -> dict[str, Any]:
    """A notice as an entry of PutEvents; the same notice is always the same.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> entry = entry_of(Notice(an_alert(), 1, "bus"), EventBridgeSettings())
    >>> entry["Source"], entry["DetailType"], entry["Detail"][:48]
    ('watchband', 'Watchband Alert Opened', '{"version":"1","id":"7f014ebe499c36cd-1","event"')
    """
    alert = notice.alert
    before, after = states(notice)
    detail = {**document(notice), "state": {"value": after}, "previousState": {"value": before}}
    return {
        "Time": datetime.fromtimestamp(max(alert.decided, alert.peak_time, alert.closed or 0) // SECOND, UTC),
        "Source": settings.source,
        "DetailType": f"{settings.detail_type} {event_of(notice).capitalize()}",
        "Detail": fitted(detail, ENTRY_MAX),
        "EventBusName": settings.event_bus,
    }


def parts(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Parts that one call takes, by number and by size."""
    part: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        weight = weight_of(entry)
        if part and (len(part) >= ENTRIES_MAX or size + weight > BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(entry)
        size += weight
    if part:
        yield part


def weight_of(entry: dict[str, Any]) -> int:
    """Bytes of an entry as EventBridge counts them: 14 for the time, and the texts."""
    return 14 + sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))
