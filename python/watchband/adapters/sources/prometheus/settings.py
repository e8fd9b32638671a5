"""What a user writes of a source of kind ``prometheus``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband.adapters.sources.prometheus.source import PrometheusSource
from watchband.core import params as declared
from watchband.core.clock import Clock
from watchband.core.duration import DAY, MINUTE, SECOND, WEEK, format_duration
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, FilePath, MapOf, SecretText, Url
from watchband.core.params import REQUIRED, Flag, Maybe, Text, param
from watchband.core.secret import Secret

_METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """Queries of a Prometheus, VictoriaMetrics, Thanos or Mimir, asked by ``query_range``."""

    kind: ClassVar[str] = "prometheus"

    url: str = param(REQUIRED, Url(), "Address of the server, with its path prefix.")
    queries: dict[str, str] = param(
        REQUIRED, MapOf(Text("a PromQL expression"), _METRIC), "Expressions by name; the name is that of their series."
    )
    every: int = param(MINUTE, Duration(SECOND, DAY), "How often is asked.")
    step: int | None = param(
        None, Maybe(Duration(SECOND, DAY)), "Distance of two readings, at most `every`; without it `every`."
    )
    lateness: int = param(MINUTE, Duration(0, DAY), "Age from which a reading counts as settled and is asked for.")
    backfill: int = param(2 * WEEK, Duration(0, 1100 * DAY), "How much of the past is asked for first; 0: none.")
    keep_names: bool = param(False, Flag(), "Series that have a metric name keep it instead of the query's.")
    partial_answers: bool = param(False, Flag(), "Also take answers that miss a part of the data (Thanos, clusters).")
    username: str | None = param(None, Maybe(Text("a user's name")), "For basic authentication.")
    password: Secret | None = param(None, Maybe(SecretText()), "For basic authentication.")
    bearer_token: Secret | None = param(None, Maybe(SecretText()), "Sent as `Authorization: Bearer …`.")
    headers: dict[str, Secret] | None = param(
        None, Maybe(MapOf(SecretText(), r"[A-Za-z0-9-]+")), "Headers of every question, say X-Scope-OrgID."
    )
    params: dict[str, str] | None = param(None, Maybe(MapOf(Text())), "Parameters of every question, say dedup.")
    timeout: int = param(30 * SECOND, Duration(SECOND, 600 * SECOND), "How long an answer may take.")
    ca_file: str | None = param(None, Maybe(FilePath()), "Certificates (PEM) that the server's is checked by.")
    allow_private: bool = param(True, Flag(), "The address may be of a private network or of this machine.")

    def __post_init__(self) -> None:
        declared.check(self)
        if not self.queries:
            raise ConfigError("'queries' names no query. Write at least one, such as cpu: rate(cpu_seconds_total[5m]).")
        if self.step is not None and self.step > self.every:
            raise ConfigError(
                f"'step' is {format_duration(self.step)}, longer than 'every', {format_duration(self.every)}. Nothing "
                "new is there so often: make 'every' as long."
            )
        if (self.username is None) != (self.password is None):
            raise ConfigError("'username' and 'password' belong together. Give both or none.")
        if self.username is not None and self.bearer_token is not None:
            raise ConfigError("'username' and 'bearer_token' exclude each other. Give one of them.")

    @property
    def step_ns(self) -> int:
        """Distance of two readings, ns."""
        return self.every if self.step is None else self.step

    def metrics(self) -> tuple[str, ...] | None:
        """What its series are called; None where they keep their own names."""
        return None if self.keep_names else tuple(self.queries)

    def open(self, name: str, *, clock: Clock) -> PrometheusSource:
        """The source of that name; nothing outside is touched before it is read."""
        from watchband.adapters.sources.prometheus.client import Client

        return PrometheusSource(
            name,
            self.queries,
            Client(self),
            clock=clock,
            every_ns=self.every,
            step_ns=self.step_ns,
            lateness_ns=self.lateness,
            backfill_ns=self.backfill,
            keep_names=self.keep_names,
        )
