"""The shared store, opened on a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.stores.installation import Open
from tests.servers.postgres import Server
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.core.secret import Secret


@pytest.fixture
def database(postgres: Server) -> str:
    return postgres.database()


@pytest.fixture
def opened(postgres: Server, database: str) -> Iterator[Open]:
    stores = []

    def open_store(**settings: object) -> PostgresStore:
        store = PostgresStore(database, **{"password": Secret(postgres.password), "lease_s": 60.0} | settings)  # type: ignore[arg-type]
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        store.close()
