"""The event stream of the HTML standard: bytes in, events out, however the bytes are cut."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from watchband.core.errors import TransientError

LINE_MAX = 1 << 20
"""Characters of a line."""
DATA_MAX = 16 << 20
"""Characters of one event."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Parameters
    ----------
    type : str
        ``message`` where the stream names none.
    data : str
        Its lines, joined by line feeds.
    id : str
        The last id that the stream gave, here or before.
    named : bool
        Whether this event gave it.
    """

    type: str
    data: str
    id: str
    named: bool


class EventStream:
    """Reads a stream from its beginning.

    Parameters
    ----------
    last_id : str
        The id that was last seen before.

    Attributes
    ----------
    retry_ms : int or None
        How long to wait before reconnecting, if the stream says so.

    Examples
    --------
    >>> stream = EventStream()
    >>> list(stream.feed(b"id: 7\\ndata: a\\n")), [e.data for e in stream.feed(b"data: b\\r\\n\\r\\n")], stream.last_id
    ([], ['a\\nb'], '7')
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry_ms: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line, self._began, self._after_return = "", False, False
        self._type, self._data, self._size, self._id = "", list[str](), 0, last_id
        self._named = False

    @property
    def half(self) -> bool:
        """Whether an event has begun and not ended."""
        return bool(self._line or self._data)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that end in these bytes. Whatever is cut off by the end of the stream is none.

        Raises
        ------
        TransientError
            A line or an event without an end.
        """
        for line in self._lines(self._decoder.decode(chunk)):
            event = self._take(line)
            if event is not None:
                yield event

    def _lines(self, text: str) -> list[str]:
        if text and not self._began:
            self._began = True
            text = text.removeprefix("\ufeff")
        if text and self._after_return:
            text = text.removeprefix("\n")
            self._after_return = False
        if text.endswith("\r"):
            # A line feed that belongs to it may come with the next bytes.
            self._after_return = True
        text = (self._line + text).replace("\r\n", "\n").replace("\r", "\n")
        *lines, self._line = text.split("\n")
        if len(self._line) > LINE_MAX:
            raise TransientError(f"The stream sent a line of more than {LINE_MAX:,} characters. Is it an event stream?")
        return lines

    def _take(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
            if self._size > DATA_MAX:
                raise TransientError(f"The stream sent an event of more than {DATA_MAX:,} characters.")
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id, self._named = value, True
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value[:12])
        return None

    def _dispatch(self) -> Event | None:
        self.last_id = self._id
        event = None
        if self._data:
            event = Event(self._type or "message", "\n".join(self._data), self.last_id, self._named)
            self._named = False
        self._type, self._data, self._size = "", [], 0
        return event
