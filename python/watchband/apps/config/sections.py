"""The sections that a configuration has once: ``server`` and ``engine``."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.core import params
from watchband.core.duration import DAY, HOUR, SECOND
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, FilePath, Listen, SecretText, Size
from watchband.core.params import Integer, Maybe, param
from watchband.core.secret import Secret


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where Watchband is spoken to: pushed points, ``/metrics``, health, reload.

    Examples
    --------
    >>> ServerSettings().port
    8470
    """

    listen: str = param("127.0.0.1:8470", Listen(), "Address and port.")
    tls_cert_file: str | None = param(None, Maybe(FilePath()), "Certificate chain (PEM): serve HTTPS.")
    tls_key_file: str | None = param(None, Maybe(FilePath()), "Its private key (PEM).")
    token: Secret | None = param(
        None, Maybe(SecretText()), "Bearer token for everything but health; none: whoever reaches the port may."
    )
    push_token: Secret | None = param(
        None, Maybe(SecretText()), "Bearer token that may push points and nothing else, besides `token`."
    )
    max_body: int = param(16_000_000, Size(1000), "Largest body of a request, as it is sent.")
    max_connections: int = param(256, Integer(1, 100_000), "Connections at a time; more are refused.")
    max_points_per_second: int | None = param(
        None, Maybe(Integer(1)), "Pushed points that are taken a second, on average over ten; more get 429."
    )

    def __post_init__(self) -> None:
        params.check(self)
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ConfigError("'tls_cert_file' and 'tls_key_file' go together: give both, or none.")

    @property
    def host(self) -> str:
        """The host part of ``listen``; every address of this machine if it is left out."""
        return self.listen.rpartition(":")[0].strip("[]") or "0.0.0.0"

    @property
    def port(self) -> int:
        """The port of ``listen``; 0 takes a free one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host == "localhost" or self.host.startswith("127.") or self.host == "::1"


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """What the engine may take, and how often it does what."""

    max_series: int = param(100_000, Integer(1), "Series at a time; of more, those of low priority are not watched.")
    max_memory: int = param(
        4_000_000_000, Size(50_000_000), "Memory of all states; where it is short, series of low priority go first."
    )
    max_waiting: int = param(2_000_000, Integer(1000), "Readings that may wait to be judged.", unit="points")
    snapshot_every: int = param(HOUR, Duration(SECOND), "A watch's state is written at the latest after this time.")
    snapshot_points: int = param(
        1_000_000, Integer(1000), "And after so many points: what a restart folds again.", unit="points"
    )
    idle: int = param(14 * DAY, Duration(60 * SECOND), "A series without a reading for this long is forgotten.")
    tick: int = param(SECOND, Duration(SECOND // 100, 60 * SECOND), "How often time is told to pushed series.")
    drain: int = param(30 * SECOND, Duration(0), "Time that a shutdown may take to judge and send what waits.")
    threads: int = param(0, Integer(0, 1024), "Threads over series; 0: one a processor.")

    def __post_init__(self) -> None:
        params.check(self)
