"""Dead man's switch: a sign of life while readings are judged and alerts delivered, and silence when they are not.

Somebody else has to watch for the silence: a service such as healthchecks.io, or an Alertmanager that passes on its
missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband.adapters.addresses import check_url
from watchband.adapters.outbound import Limits, Outbound
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, TransientError
from watchband.core.kinds import Duration, FilePath, MapOf, SecretText, Url
from watchband.core.params import Choice, Flag, Maybe, Text, param
from watchband.core.ports import Notice, Standing
from watchband.core.secret import Secret
from watchband.core.timestamp import format_rfc3339

NAME = "WatchbandIsAlive"


@dataclass(frozen=True, kw_only=True)
class DeadmanSettings:
    """A sign of life at an address, again and again, as long as all is well."""

    kind: ClassVar[str] = "deadman"

    url: Secret | None = param(None, Maybe(SecretText()), "Address that is called; whoever knows it can fake life.")
    alertmanager: str | None = param(None, Maybe(Url()), f"Instead: an Alertmanager that is sent the alert {NAME}.")
    method: str = param("POST", Choice(("GET", "HEAD", "POST")), "How the address is called.")
    labels: dict[str, str] | None = param(
        None, Maybe(MapOf(Text("text"), "[A-Za-z_][A-Za-z0-9_]*")), "Labels of the alert, to route by."
    )
    every: int = param(60 * SECOND, Duration(SECOND, 3600 * SECOND), "How often.")
    grace: int = param(15 * 60 * SECOND, Duration(0, 86_400 * SECOND), "How long another sink may fail before silence.")
    timeout: int = param(10 * SECOND, Duration(SECOND // 10, 300 * SECOND), "For the whole answer.")
    allow_private: bool = param(False, Flag(), "The address may be private or on this machine.")
    ca_file: str | None = param(None, Maybe(FilePath()), "Certificates to trust instead of the system's.")

    def __post_init__(self) -> None:
        params.check(self)
        if (self.url is None) == (self.alertmanager is None):
            raise ConfigError("A deadman has either 'url' or 'alertmanager'. Give one of them.")
        if self.alertmanager is not None:
            check_url(self.alertmanager, allow_private=self.allow_private)

    def open(self, name: str, *, clock: Clock) -> Deadman:
        """The sink."""
        return Deadman(name, self, clock)


class Deadman:
    """Says nothing of alerts; says every ``every_s`` seconds that somebody would be told of one."""

    def __init__(self, name: str, settings: DeadmanSettings, clock: Clock) -> None:
        self.name, self.every_s = name, settings.every / SECOND
        self._settings, self._clock = settings, clock
        self._out = Outbound(
            allow_private=settings.allow_private,
            limits=Limits(read=settings.timeout / SECOND, total=settings.timeout / SECOND, body=1 << 20),
            secret_path=settings.url is not None,
            ca_file=settings.ca_file,
        )

    def write(self, notice: Notice) -> None:
        """Nothing: alerts are told elsewhere."""

    def tend(self, standing: Standing) -> None:
        """A sign of life.

        Raises
        ------
        TransientError
            All is not well, and so none was given; or it was not taken.
        """
        settings = self._settings
        if standing.trouble:
            raise TransientError(f"No sign of life: {standing.trouble}")
        if standing.undelivered * SECOND > settings.grace:
            raise TransientError(f"No sign of life: a sink has taken nothing for {standing.undelivered:.0f} s.")
        if settings.url is not None:
            self._out.request(settings.method, settings.url.reveal())
            return
        now = self._clock.now()
        alert = {
            "labels": {"alertname": NAME, "severity": "none", **(settings.labels or {})},
            "annotations": {"summary": "Watchband judges readings and delivers alerts. Be told when this is missing."},
            "startsAt": format_rfc3339(now - SECOND),
            # Three may get lost before it is missing.
            "endsAt": format_rfc3339(now + 3 * settings.every + 10 * SECOND),
        }
        assert settings.alertmanager is not None
        self._out.request("POST", settings.alertmanager.rstrip("/") + "/api/v2/alerts", json=[alert])

    def close(self) -> None:
        """Let go of connections; a call in flight ends."""
        self._out.close()
