"""The ``server`` section: where it listens, who may change things, what is shown of single series."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from watchband.apps.server.samples import FieldSettings, Samples
from watchband.core import params
from watchband.core.errors import ConfigError
from watchband.core.kinds import FilePath, Group, Listen, ListOf, MapOf, SecretText, Size, Url
from watchband.core.matcher import Selector
from watchband.core.params import REQUIRED, Choice, Integer, Maybe, Text, param
from watchband.core.secret import Secret

PORT = 8470
EXPORTED_MAX = 10_000


@dataclass(frozen=True)
class TokenSettings:
    """A bearer token: one entry of ``server.tokens``."""

    token: Secret = param(REQUIRED, SecretText(), "The token itself.")
    role: str = param(
        "write",
        Choice(("write", "viewer", "operator", "admin")),
        "`write` sends points, `viewer` looks, `operator` also works on incidents, `admin` may do everything.",
    )

    def __post_init__(self) -> None:
        params.check(self)


@dataclass(frozen=True)
class ServerSettings:
    """Where Watchband is spoken to: pushed points, ``/metrics``, health, reload.

    Points are pushed to sources of the kinds ``push`` and ``remote_write``; without one, nothing is taken.

    Examples
    --------
    >>> ServerSettings(listen="[::1]:9000").address, ServerSettings(listen="0.0.0.0:80").loopback
    (('::1', 9000), False)
    """

    listen: str = param(f"127.0.0.1:{PORT}", Listen(), "Where it listens.")
    external_url: str | None = param(
        None, Maybe(Url()), "Where people reach this service, say behind a proxy: alerts link there."
    )
    tls_cert_file: str | None = param(None, Maybe(FilePath()), "Certificate chain (PEM): serve HTTPS.")
    tls_key_file: str | None = param(None, Maybe(FilePath()), "Its private key (PEM).")
    tokens: Mapping[str, TokenSettings] = param(
        {}, MapOf(Group(TokenSettings)), "Bearer tokens by name; without any, only this machine may change anything."
    )
    max_body: int = param(16_000_000, Size(1000), "Largest body of a request, as it is sent.")
    max_connections: int = param(256, Integer(1, 100_000), "Connections at a time; more are refused.")
    max_points_per_second: int | None = param(
        None, Maybe(Integer(1)), "Pushed points that are taken a second, on average over ten; more get 429."
    )
    predict: Mapping[str, FieldSettings] = param(
        {},
        MapOf(Group(FieldSettings)),
        "Fields of a sample by metric, see the page Predict; by default the three ratios of a cluster.",
    )
    export: tuple[str, ...] = param(
        (), ListOf(Text('a selector such as cpu{env="prod"}')), "Series whose value, band and score /metrics shows."
    )
    export_max: int = param(200, Integer(0, EXPORTED_MAX), "Most series that /metrics shows one by one.")

    def __post_init__(self) -> None:
        params.check(self)
        _ = self.selectors, Samples(self.predict)
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ConfigError("'tls_cert_file' and 'tls_key_file' go together: give both, or none.")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        host = self.address[0]
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Those of ``export``."""
        return tuple(map(Selector, self.export))
