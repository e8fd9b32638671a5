"""Alertmanager: alerts by its API version 2, repeated while they last, resolved when they end.

Alertmanager keeps alerts in memory and drops one that is not repeated. So every open alert is repeated each ``every``,
also after a restart on either side, with an end that lies ``hold`` ahead: for so long Watchband may be away before
Alertmanager takes the alert for resolved.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from watchband.adapters.addresses import check_url
from watchband.adapters.outbound import Limits, Outbound
from watchband.adapters.sinks.labels import annotations_of, fingerprint, labels_of
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, PermanentError, TransientError
from watchband.core.kinds import Duration, FilePath, ListOf, MapOf, SecretText, Url
from watchband.core.params import REQUIRED, Flag, Integer, Maybe, Text, param
from watchband.core.ports import Notice, Standing
from watchband.core.secret import Secret
from watchband.core.timestamp import format_rfc3339

BATCH = 100
MISSED_MAX = 1000
BRIEF = 300 * SECOND
"""How long an alert fires that was over before anybody was told: longer than groups wait."""
_ALERTS = "/api/v2/alerts"


@dataclass(frozen=True, kw_only=True)
class AlertmanagerSettings:
    """Alerts to one Alertmanager or to every member of a cluster of them."""

    kind: ClassVar[str] = "alertmanager"

    url: tuple[str, ...] = param(REQUIRED, ListOf(Url(), 1), "Alertmanager, or each member of its cluster.")
    every: int = param(60 * SECOND, Duration(SECOND, 3600 * SECOND), "How often open alerts are repeated.")
    hold: int = param(
        6 * 3600 * SECOND, Duration(10 * SECOND, 30 * 86_400 * SECOND), "How long an alert lasts that is not repeated."
    )
    labels: dict[str, str] | None = param(
        None, Maybe(MapOf(Text("text"), "[A-Za-z_][A-Za-z0-9_]*")), "Labels of every alert, to route by."
    )
    username: str | None = param(None, Maybe(Text("text")), "For basic authentication.")
    password: Secret | None = param(None, Maybe(SecretText()), "For basic authentication.")
    authorization: Secret | None = param(None, Maybe(SecretText()), "The Authorization header, for example Bearer ….")
    timeout: int = param(10 * SECOND, Duration(SECOND // 10, 300 * SECOND), "For the whole answer.")
    per_minute: int = param(600, Integer(0), "Most notices in a minute; 0: any number.")
    allow_private: bool = param(False, Flag(), "The address may be private or on this machine.")
    ca_file: str | None = param(None, Maybe(FilePath()), "Certificates to trust instead of the system's.")

    def __post_init__(self) -> None:
        params.check(self)
        for url in self.url:
            check_url(url, allow_private=self.allow_private)

    def open(self, name: str, *, clock: Clock) -> Alertmanager:
        """The sink."""
        return Alertmanager(name, self, clock)


class Alertmanager:
    """Tells every member of a cluster; a notice is taken when one of them took it.

    What a member missed it is told again with the next repetition: open alerts all, ended ones as long as this process
    lives.
    """

    def __init__(self, name: str, settings: AlertmanagerSettings, clock: Clock) -> None:
        self.name, self.per_minute, self.every_s = name, settings.per_minute, settings.every / SECOND
        self._settings, self._clock = settings, clock
        limits = Limits(read=settings.timeout / SECOND, total=settings.timeout / SECOND, body=8 << 20)
        self._out = Outbound(allow_private=settings.allow_private, limits=limits, ca_file=settings.ca_file)
        self._missed: dict[str, OrderedDict[str, dict[str, Any]]] = {url: OrderedDict() for url in settings.url}

    def write(self, notice: Notice) -> None:
        """Tell of a change.

        An alert whose severity has changed is another one to Alertmanager: the old one is resolved with the same
        request that opens the new one.
        """
        alert = self._alert(notice)
        failures: list[AdapterError] = []
        for url in self._settings.url:
            try:
                old = self._others(url, notice) if notice.revision > 1 else []
                self._post(url, [*old, alert])
            except AdapterError as error:
                failures.append(error)
                if notice.alert.closed is not None:
                    self._miss(url, alert)
        if len(failures) == len(self._settings.url):
            raise next((e for e in failures if isinstance(e, TransientError)), failures[0])

    def tend(self, standing: Standing) -> None:
        """Repeat every open alert, and the ends that a member missed."""
        alerts = [self._alert(notice) for notice in standing.open]
        failures: list[AdapterError] = []
        for url in self._settings.url:
            missed = self._missed[url]
            try:
                for start in range(0, len(alerts), BATCH):
                    self._post(url, alerts[start : start + BATCH])
                if missed:
                    self._post(url, list(missed.values()))
                    missed.clear()
            except AdapterError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _miss(self, url: str, alert: dict[str, Any]) -> None:
        missed = self._missed[url]
        missed[fingerprint(alert["labels"])] = alert
        if len(missed) > MISSED_MAX:
            missed.popitem(last=False)

    def _alert(self, notice: Notice) -> dict[str, Any]:
        alert, now = notice.alert, self._clock.now()
        # Alertmanager refuses an end before the beginning, and takes one that is to come for still firing.
        starts = min(alert.opened, now - SECOND)
        if alert.closed is None:
            ends = now + self._settings.hold
        elif notice.revision == 1:
            # It is over and nobody heard of it: Alertmanager tells nobody of what never fired.
            ends = now + BRIEF
        else:
            ends = max(min(alert.closed, now), starts + 1_000_000)
        found: dict[str, Any] = {
            "labels": labels_of(alert, self._settings.labels or {}),
            "annotations": annotations_of(notice),
            "startsAt": format_rfc3339(starts),
            "endsAt": format_rfc3339(ends),
        }
        return found | ({"generatorURL": notice.link} if notice.link else {})

    def _others(self, url: str, notice: Notice) -> list[dict[str, Any]]:
        """The same alert under another severity, as it stands there, ending now."""
        labels = labels_of(notice.alert, self._settings.labels or {})
        fixed = {name: value for name, value in labels.items() if name != "severity"}
        query = [("filter", f'{name}="{_quoted(value)}"') for name, value in fixed.items()]
        found = self._asked(
            "GET", url, params=[*query, ("active", "true"), ("silenced", "true"), ("inhibited", "true")]
        )
        end = format_rfc3339(self._clock.now())
        return [
            {"labels": other, "annotations": entry.get("annotations", {}), "startsAt": entry["startsAt"], "endsAt": end}
            for entry in found.json()
            if (other := entry.get("labels", {})).get("severity") != labels["severity"]
            and {k: v for k, v in other.items() if k != "severity"} == fixed
        ]

    def _post(self, url: str, alerts: Sequence[Mapping[str, Any]]) -> None:
        self._asked("POST", url, json=alerts)

    def _asked(self, method: str, url: str, **sent: Any) -> Any:
        settings = self._settings
        headers, auth = {}, None
        if settings.authorization is not None:
            headers["Authorization"] = _header(settings.authorization)
        elif settings.password is not None:
            auth = (settings.username or "", settings.password.reveal())
        return self._out.request(method, url.rstrip("/") + _ALERTS, headers=headers, auth=auth, **sent)

    def close(self) -> None:
        """Let go of connections; a ``write`` in flight ends."""
        self._out.close()


def _quoted(text: str) -> str:
    """As Alertmanager reads it: it knows these three escapes and no others."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _header(secret: Secret) -> str:
    text = secret.reveal()
    if not text.isascii() or any(c in text for c in "\r\n\0"):
        raise PermanentError("The secret for the Authorization header holds characters that no header may have.")
    return text
