"""The ``server`` section: where it listens, who may change things, what is shown of single series."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from watchband.apps.server.fields import FieldSettings, metrics_by_name
from watchband.core import params
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, FilePath, Group, Listen, ListOf, MapOf, SecretText, Size, Url
from watchband.core.matcher import Selector
from watchband.core.params import REQUIRED, Choice, Flag, Integer, Maybe, Text, param
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
    guard_reads: bool = param(
        False, Flag(), "Once there are keys or tokens, looking needs one on a loopback address too."
    )
    trusted_proxies: tuple[str, ...] = param(
        (), ListOf(Text("a network such as 10.0.0.0/8")), "Proxies whose X-Forwarded-For and -Proto are believed."
    )
    session_idle: int = param(
        12 * HOUR, Duration(HOUR, 30 * DAY), "A browser that asks nothing for so long has to sign in again."
    )
    session_length: int = param(30 * DAY, Duration(HOUR, 365 * DAY), "And in any case after this time.")
    max_requests_per_second: int | None = param(
        100, Maybe(Integer(1)), "Requests of one key or token a second, on average over ten; pushed points are extra."
    )
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
        _ = self.selectors, metrics_by_name(self.predict)
        _ = self._networks
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

    @cached_property
    def _networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        try:
            return tuple(ipaddress.ip_network(text) for text in self.trusted_proxies)
        except ValueError as error:
            raise ConfigError(
                f"'trusted_proxies' has addresses and networks such as 10.0.0.0/8. {str(error).capitalize()}."
            ) from None

    def trusted(self, address: str) -> bool:
        """Whether this is the address of a proxy that is believed."""
        if not self.trusted_proxies:
            return False
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Those of ``export``."""
        return tuple(map(Selector, self.export))
