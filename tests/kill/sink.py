"""A sink for these tests: the change of an alert as JSON, under its key; found as those of outside packages are."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from watchband.core.clock import Clock
from watchband.core.errors import TransientError
from watchband.core.kinds import Url
from watchband.core.params import param
from watchband.core.ports import Notice


def body_of(notice: Notice) -> bytes:
    """What is sent: the same bytes for the same change."""
    return json.dumps({"alert": notice.alert.to_dict(), "revision": notice.revision}, sort_keys=True).encode()


@dataclass(frozen=True)
class ReceiverSettings:
    """Where to."""

    kind: ClassVar[str] = "receiver"
    url: str = param("http://localhost", Url(), "Address.")

    def open(self, name: str, *, clock: Clock) -> ReceiverSink:
        return ReceiverSink(name, self.url)


class ReceiverSink:
    """Posts."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url

    def write(self, notice: Notice) -> None:
        request = urllib.request.Request(self.url, body_of(notice), {"Idempotency-Key": notice.id})
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except (urllib.error.URLError, OSError) as error:
            raise TransientError(str(error)) from error


def install(directory: Path) -> None:
    """Make it known as a package in this directory would."""
    info = directory / "watchband_receiver-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: watchband-receiver\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[watchband.sinks]\nreceiver = tests.kill.sink:ReceiverSettings\n")
