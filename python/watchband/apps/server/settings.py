"""The ``server`` section: where it listens, who may change things, what is shown of single series."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from watchband.core import params
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, ListOf, SecretText
from watchband.core.matcher import Selector
from watchband.core.params import Choice, Integer, Text, param
from watchband.core.secret import Secret

PORT = 8470
EXPORTED_MAX = 10_000


@dataclass(frozen=True)
class TokenSettings:
    """A bearer token: one entry of ``server.tokens``."""

    token: Secret = param(dataclasses.MISSING, SecretText(), "The token itself.")
    role: str = param("write", Choice(("write", "admin")), "`write` sends points; `admin` also reloads and changes.")

    def __post_init__(self) -> None:
        params.check(self)


@dataclass(frozen=True)
class ServerSettings:
    """The keys of ``server``; ``tokens`` maps names to ``TokenSettings``.

    Examples
    --------
    >>> ServerSettings(listen="[::1]:9000").address, ServerSettings(listen="0.0.0.0:80").loopback
    (('::1', 9000), False)
    """

    listen: str = param(f"127.0.0.1:{PORT}", Text("HOST:PORT, such as 127.0.0.1:8470"), "Where it listens.")
    lateness: int = param(0, Duration(0), "How late pushed points may come and still be judged.", unit="ns")
    export: tuple[str, ...] = param(
        (), ListOf(Text('a selector such as cpu{env="prod"}')), "Series whose value, band and score /metrics shows."
    )
    export_max: int = param(200, Integer(0, EXPORTED_MAX), "Most series that /metrics shows one by one.")
    tokens: Mapping[str, TokenSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        params.check(self)
        _ = self.address, self.selectors

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, colon, port = self.listen.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65_535 or not host:
            raise ConfigError(f"'listen' must be HOST:PORT, such as 127.0.0.1:{PORT}. Got {self.listen!r}.")
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
