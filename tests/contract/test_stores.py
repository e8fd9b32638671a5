"""Every store keeps what the port promises, and each check catches a store that does not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.servers.dynamodb.server import DynamoServer
from tests.servers.postgres import Server
from watchband.adapters.stores.dynamodb.store import DynamoStore
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.core.ports import Store
from watchband.core.secret import Secret
from watchband.testing.contracts.outbox import Check, Make, Reopen
from watchband.testing.contracts.store import CHECKS

Pair = tuple[Make, Reopen]


def memory(path: Path) -> Pair:
    return MemoryStore, lambda store: store


def sqlite(path: Path) -> Pair:
    number = count()

    def reopen(store: Store) -> Store:
        assert isinstance(store, SqliteStore)
        store.close()
        return SqliteStore(store.database.directory)

    return lambda: SqliteStore(path / str(next(number))), reopen


def shared(server: Server) -> Pair:
    urls: dict[int, str] = {}

    def opened(url: str) -> Store:
        store = PostgresStore(url, password=Secret(server.password), lease_s=60)
        urls[id(store)] = url
        return store

    def reopen(store: Store) -> Store:
        store.close()
        return opened(urls[id(store)])

    return lambda: opened(server.database()), reopen


def on_aws(server: DynamoServer) -> Pair:
    tables: dict[int, str] = {}

    def opened(table: str) -> Store:
        store = DynamoStore(table, access=server.access, lease_s=60)
        tables[id(store)] = table
        return store

    def reopen(store: Store) -> Store:
        store.close()
        return opened(tables[id(store)])

    return lambda: opened(server.table()), reopen


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_dynamodb_keeps_it(check: Check, dynamodb_server: DynamoServer) -> None:
    check(*on_aws(dynamodb_server))


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_postgres_keeps_it(check: Check, postgres: Server) -> None:
    check(*shared(postgres))


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("pair", [memory, sqlite], ids=lambda p: p.__name__)
def test_a_store_keeps_it(pair: Callable[[Path], Pair], check: Check, tmp_path: Path) -> None:
    check(*pair(tmp_path))
