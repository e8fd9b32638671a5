"""``watchband keys``: on a store that nobody has, and with a service that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps.server.test_sign_in import LONG, SHUT
from tests.apps.server.world import World
from tests.apps.test_cli import run
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.cli.calling import TOKEN as ENVIRONMENT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose address nobody listens on."""
    path = tmp_path / "watchband.yaml"
    path.write_text(
        "sources: {push: {kind: push}}\nwatches: {all: {match: '*', detector: ewma}}\n"
        f"store: {{kind: sqlite, path: '{tmp_path / 'data'}'}}\nserver: {{listen: '0.0.0.0:1'}}\n"
    )
    return path


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(server=SHUT) as world:
        yield world


def said(*words: str) -> str:
    result = run("keys", *words, width=140)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(*words: str) -> str:
    result = run("keys", *words, width=140)
    assert result.exit_code == 2
    return result.stderr


def test_the_first_key_is_made_in_the_store_before_the_service_runs(config: Path, tmp_path: Path) -> None:
    at = ("--config", str(config))
    assert "There are no keys." in said("list", *at)
    assert "first key is an admin's" in refused("create", "grafana", "--role", "viewer", *at)
    secret = said("create", "ann", "--role", "admin", *at).strip()
    assert secret.startswith("wb_")
    made = json.loads(said("create", "bob", "--role", "viewer", "--expires", "90d", "--json", *at))
    assert made["key"]["expires"] is not None
    table = said("list", *at)
    assert "ann" in table
    assert secret not in table
    assert "opens nothing" in said("revoke", "bob", *at)
    assert [k["state"] for k in json.loads(said("list", "--json", *at))["keys"]] == ["revoked", "live"]
    assert "No key has" in refused("revoke", "bob", *at)
    assert "A role is one of" in refused("create", "eve", "--role", "king", *at)
    store = SqliteStore(tmp_path / "data")
    assert [act.deed for act in store.acts()] == ["create key", "create key", "revoke key"]
    assert store.acts()[0].by.endswith("(shell)")
    # Somebody has it now, and does not answer.
    assert "process" in refused("list", *at)
    store.close()


def test_a_service_that_runs_is_asked(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at = ("--url", world.web.address)
    assert "needs the role 'admin'" in refused("list", *at)
    file = tmp_path / "key"
    file.write_text(LONG + "\n")
    secret = said("create", "ann", "--role", "operator", "--token-file", str(file), *at).strip()
    monkeypatch.setenv(ENVIRONMENT, LONG)
    assert "ann" in said("list", *at)
    assert "is taken" in refused("create", "ann", "--role", "viewer", *at)
    monkeypatch.setenv(ENVIRONMENT, secret)
    message = refused("revoke", "ann", *at)
    assert "'admin' is needed" in message
    assert secret not in message
    monkeypatch.setenv(ENVIRONMENT, LONG)
    assert "opens nothing" in said("revoke", "ann", *at)


def test_status_shows_a_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert "viewer" in run("status", "--url", world.web.address).stderr
    monkeypatch.setenv(ENVIRONMENT, LONG)
    assert json.loads(run("status", "--url", world.web.address, "--json").stdout)["ready"] is True


def test_an_address_that_nobody_listens_on_is_not_the_store(config: Path) -> None:
    assert "No service answers" in refused("list", "--config", str(config), "--url", "http://127.0.0.1:1")
