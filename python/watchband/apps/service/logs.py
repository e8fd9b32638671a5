"""Logs: readable lines, or one JSON document a line; never a secret, which prints as nothing by itself."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import IO, Any, Literal

Format = Literal["text", "json"]
_OWN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_TEXT_MAX = 4000


def further(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as ``extra``."""
    return {key: value for key, value in vars(record).items() if key not in _OWN}


class JsonLines(logging.Formatter):
    """``{"time": …, "level": …, "logger": …, "message": …}`` and what was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        found: dict[str, Any] = {
            "time": _moment(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_TEXT_MAX],
            **further(record),
        }
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found, default=str, ensure_ascii=False)


class Lines(logging.Formatter):
    """``16:47:06 warning source: the message  source=prom``; times are UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        extra = "".join(f"  {key}={_short(value)}" for key, value in further(record).items())
        name = record.name.removeprefix("watchband.")
        message = record.getMessage()[:_TEXT_MAX]
        line = f"{_moment(record):%H:%M:%S} {record.levelname.lower():<7} {name}: {message}{extra}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(form: Format, level: str, stream: IO[str] | None = None) -> None:
    """Log to a stream, stderr by default, in one of the two forms."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("watchband").setLevel(level.upper())
    # Requests of clients are counted on /metrics, not logged one by one.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _short(value: object) -> str:
    text = str(value)
    return repr(text) if " " in text else text
