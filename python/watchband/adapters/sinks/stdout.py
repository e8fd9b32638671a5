"""Standard output: alerts where the process runs, for a first try."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import ClassVar, TextIO

from watchband.adapters.sinks.message import document, message_of
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.errors import TransientError
from watchband.core.params import Choice, param
from watchband.core.ports import Notice


@dataclass(frozen=True, kw_only=True)
class StdoutSettings:
    """Each change of an alert on standard output."""

    kind: ClassVar[str] = "stdout"

    form: str = param("text", Choice(("text", "line", "json")), "A paragraph, a line, or a line of JSON.")

    def __post_init__(self) -> None:
        params.check(self)

    def open(self, name: str, *, clock: Clock) -> Stdout:
        """The sink."""
        return Stdout(name, self.form)


class Stdout:
    """Writes to whatever standard output is at that moment, or to a file that is given."""

    def __init__(self, name: str, form: str = "text", file: TextIO | None = None) -> None:
        self.name, self._form, self._file = name, form, file
        self._last = ""

    def write(self, notice: Notice) -> None:
        """Write a notice and flush.

        Raises
        ------
        TransientError
            Nobody reads any more.
        """
        if notice.id == self._last:
            return
        file = self._file or sys.stdout
        try:
            # Whatever cannot be shown there is shown as a question mark, and an alert is never lost for it.
            coding = getattr(file, "encoding", None) or "utf-8"
            file.write(self._text(notice).encode(coding, "replace").decode(coding))
            file.flush()
        except (OSError, ValueError):
            raise TransientError("Standard output takes nothing: it is closed, or its disk is full.") from None
        self._last = notice.id

    def _text(self, notice: Notice) -> str:
        if self._form == "json":
            return json.dumps(document(notice), allow_nan=False) + "\n"
        message = message_of(notice)
        return f"{message.headline}\n" if self._form == "line" else f"\n{message.text()}"
