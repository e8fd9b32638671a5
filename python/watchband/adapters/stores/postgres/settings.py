"""What a user writes of the shared store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband.adapters.stores.postgres.database import Address
from watchband.adapters.stores.postgres.letters import PostgresLetters
from watchband.adapters.stores.postgres.schema import NAME
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.adapters.stores.tiers import Retention
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import InvalidParameterError
from watchband.core.kinds import Duration, Group, SecretText, Url
from watchband.core.params import Maybe, Text, param
from watchband.core.secret import Secret


@dataclass(frozen=True, kw_only=True)
class PostgresSettings:
    """A PostgreSQL database for one process that writes and others that stand by."""

    kind: ClassVar[str] = "postgres"

    url: str = param(
        "postgresql://watchband@localhost/watchband",
        Url(("postgresql", "postgres")),
        "User, server and database, with libpq's parameters behind a `?`: `sslmode=verify-full`, "
        "`host=/run/postgresql`.",
    )
    password: Secret | None = param(
        None, Maybe(SecretText()), "Password of the user; none: what libpq finds (a certificate, peer, .pgpass)."
    )
    schema: str = param("watchband", Text("a name of small letters, digits and _"), "Schema of all tables.")
    lease: int = param(
        15 * SECOND,
        Duration(SECOND, 3600 * SECOND),
        "A process that writes and is not heard of for this long is taken over from.",
    )
    timeout: int = param(
        60 * SECOND, Duration(SECOND, 3600 * SECOND), "A statement that takes longer is given up, and tried again."
    )
    retention: Retention = param(
        Retention(),
        Group(Retention),
        "How long what is kept. There are no files of an archive: `archive` says nothing.",
    )

    def __post_init__(self) -> None:
        params.check(self)
        if not NAME.fullmatch(self.schema):
            raise InvalidParameterError(
                f"The 'schema' parameter of PostgresSettings must be a name of small letters, digits and _ that does "
                f"not begin with a digit. Got {self.schema!r}."
            )

    def letters(self) -> PostgresLetters:
        """Its outbox, for an operator."""
        return PostgresLetters(Address(self.url, self.password, self.schema, self.timeout / SECOND))

    def open(self, *, clock: Clock) -> PostgresStore:
        """The store, ready to be led or to stand by."""
        return PostgresStore(
            self.url,
            password=self.password,
            schema=self.schema,
            lease_s=self.lease / SECOND,
            timeout_s=self.timeout / SECOND,
            clock=clock,
        )
