"""What tests of the shared store write, and how its lease is made to run out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.servers.postgres import Server
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.core.ports import Commit, Readings
from watchband.core.series import SeriesKey

KEY = SeriesKey("cpu", {"host": "a"})
Open = Callable[..., PostgresStore]


def one(sequence: int, points: int = 3, key: SeriesKey = KEY) -> Commit:
    readings = [Readings(key, np.arange(points) + 10 * sequence, np.full(points, float(sequence)))]
    return Commit("s", sequence, readings, (), {"p": str(sequence)})


def run_out(server: Server, database: str) -> None:
    """The lease ends, as if its process had not been heard of."""
    server.do(database, "UPDATE watchband.lease SET expires = clock_timestamp()")
