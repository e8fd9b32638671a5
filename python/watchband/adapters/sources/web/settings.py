"""Settings that sources of JSON over HTTP share: address, credentials, and how readings are found in what comes."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from watchband.adapters.outbound import Limits, Outbound
from watchband.adapters.sources.web.mapping import METRIC, Mapper, ReadingPaths
from watchband.adapters.sources.web.paths import Path
from watchband.core import params
from watchband.core.duration import SECOND, WEEK
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, FilePath, MapOf, SecretText, Url
from watchband.core.params import REQUIRED, Choice, Flag, Integer, Maybe, Text, param
from watchband.core.secret import Secret
from watchband.core.timestamp import format_rfc3339

_LABEL = r"[^\s={},\"\\]+"


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """Where documents come from, and where in them the readings stand."""

    url: str = param(REQUIRED, Url(), "Address of the API.")
    params: dict[str, str] = param(
        {}, MapOf(Text()), "Parameters of the query; {since} becomes the time from which on readings are wanted."
    )
    headers: dict[str, str] = param({}, MapOf(Text()), "Further headers, none of them secret.")
    token: Secret | None = param(None, Maybe(SecretText()), "Sent as `Authorization: Bearer …`.")
    username: str | None = param(None, Maybe(Text("a name")), "For basic authentication, with `password`.")
    password: Secret | None = param(None, Maybe(SecretText()), "For basic authentication.")
    authorization: Secret | None = param(None, Maybe(SecretText()), "Sent as it is in `authorization_header`.")
    authorization_header: str = param("Authorization", Text("the name of a header"), "Where `authorization` is sent.")
    ca_file: str | None = param(None, Maybe(FilePath()), "Certificates that are trusted instead of the system's.")
    allow_private: bool = param(True, Flag(), "Addresses of private networks and this machine may be spoken to.")
    timeout: int = param(30 * SECOND, Duration(10_000_000), "For a whole answer.")
    max_bytes: int = param(16 << 20, Integer(1024), "Of an answer; a larger one is refused.", unit="bytes")
    readings: dict[str, str] = param(
        REQUIRED, MapOf(Text("a path such as results[*].values[*]")), "Name of a metric: path of its readings."
    )
    value: str = param("value", Text("a path"), "Path of the value within a reading; a bare number is its own value.")
    time: str | None = param("time", Maybe(Text("a path")), "Path of the time within a reading; null: when it came.")
    time_unit: str | None = param(
        None, Maybe(Choice(("s", "ms", "us", "ns"))), "Of times that are numbers; else their size says it."
    )
    labels: dict[str, str] = param({}, MapOf(Text(), _LABEL), "Labels of every series.")
    labels_from: dict[str, str] = param(
        {}, MapOf(Text("a path"), _LABEL), "Labels by path within a reading; `__name__` is the metric's name."
    )
    lateness: int = param(
        0, Duration(0), "How much readings may come out of order; each waits so long before it is judged."
    )
    backfill: int = param(2 * WEEK, Duration(0), "How far back `{since}` begins at the first start.")

    def __post_init__(self) -> None:
        params.check(self)
        if not self.readings:
            raise ConfigError("The 'readings' parameter must name at least one metric and the path of its readings.")
        given = [name for name in ("token", "username", "authorization") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ConfigError(f"{given[0]!r} and {given[1]!r} exclude each other. Give one of them.")
        if (self.username is None) != (self.password is None):
            raise ConfigError("'username' and 'password' go together. Give both or none.")
        if METRIC in self.labels:
            raise ConfigError(f"'labels' cannot hold {METRIC}: the metric's name is the key under 'readings'.")
        self.mapping()

    def mapping(self) -> ReadingPaths:
        """The paths, read.

        Raises
        ------
        ConfigError
            One of them cannot be.
        """
        found = ReadingPaths(
            metrics={name: Path(text) for name, text in self.readings.items()},
            value=Path(self.value),
            time=None if self.time is None else Path(self.time),
            time_unit=self.time_unit,
            labels=dict(self.labels),
            labels_from={name: Path(text) for name, text in self.labels_from.items()},
        )
        for path in (found.value, *([found.time] if found.time else []), *found.labels_from.values()):
            if not path.single:
                raise ConfigError(f"The path {path.text!r} leads to one place, not to many: leave out the *.")
        return found

    def metrics(self) -> tuple[str, ...] | None:
        """The names of the metrics that it gives; None where they stand in the documents."""
        return None if METRIC in self.labels_from else tuple(self.readings)

    def mapper(self, name: str) -> Mapper:
        """What reads documents for the source of that name."""
        return Mapper(name, self.mapping())

    def outbound(self) -> Outbound:
        """A client of its own."""
        seconds = self.timeout / SECOND
        limits = Limits(connect=min(5.0, seconds), read=min(15.0, seconds), total=seconds, body=self.max_bytes)
        return Outbound(allow_private=self.allow_private, limits=limits, ca_file=self.ca_file)

    def sent(self) -> dict[str, str]:
        """Headers with the credentials, read anew each time."""
        found = dict(self.headers)
        if self.token is not None:
            found["Authorization"] = f"Bearer {self.token.reveal()}"
        elif self.username is not None and self.password is not None:
            pair = f"{self.username}:{self.password.reveal()}".encode()
            found["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        elif self.authorization is not None:
            found[self.authorization_header] = self.authorization.reveal()
        return found

    def asked(self, since: int | None) -> dict[str, str]:
        """Parameters of the query; those that ask for a beginning are left out where there is none."""
        if since is None:
            return {name: text for name, text in self.params.items() if "{since" not in text}
        words = {
            "{since}": format_rfc3339(since),
            "{since_s}": str(since // SECOND),
            "{since_ms}": str(since // 1_000_000),
        }
        found = {}
        for name, text in self.params.items():
            for word, value in words.items():
                text = text.replace(word, value)
            found[name] = text
        return found
