"""``watchband outbox``: beside a store that is in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps.test_cli import run
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.core.ports import Commit
from watchband.testing.contracts.outbox import an_alert


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """Three alerts for two sinks; one notice is dead, one was refused, one is delivered. It stays open."""
    kept = SqliteStore(tmp_path / "data")
    alerts = [an_alert(k) for k in (5, 6, 7)]
    kept.commit(Commit("s", 1, alerts=alerts, routes={"w": ["chat", "mail"]}))
    chat = kept.outbox(0, "chat")
    kept.dead(chat[0], "Slack refused: channel_not_found.")
    kept.postponed(chat[1], 2**61, "busy\x1b[31m")
    kept.delivered([chat[2]])
    yield kept
    kept.close()


def told(store: SqliteStore, *words: str) -> str:
    result = run("outbox", *words, "--data", str(store.database.directory), width=140)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_what_is_not_delivered_is_listed_beside_the_process_that_delivers(store: SqliteStore) -> None:
    found = json.loads(told(store, "list", "--json"))["notices"]
    assert [(n["sink"], n["state"], n["tries"]) for n in found] == [
        ("chat", "dead", 1),
        ("mail", "waiting", 0),
        ("chat", "waiting", 1),
        ("mail", "waiting", 0),
        ("mail", "waiting", 0),
    ]
    assert found[0]["error"] == "Slack refused: channel_not_found."
    assert found[0]["alert"]["watch"] == "w"
    assert len(json.loads(told(store, "list", "--dead", "--json"))["notices"]) == 1
    assert len(json.loads(told(store, "list", "--waiting", "--sink", "chat", "--json"))["notices"]) == 1
    text = told(store, "list")
    assert "channel_not_found" in text
    assert "5 notices, 1 dead" in text
    assert "\x1b" not in text


def test_dead_letters_come_back(store: SqliteStore) -> None:
    alert = an_alert(5)
    assert told(store, "retry", f"{alert.id}-1", "--sink", "chat") == "1 notice retried.\n"
    assert not store.dead_letters()
    assert store.outbox(0, "chat")[0].alert.id == alert.id
    assert [n.alert.opened for n in store.outbox(0, "chat")] == [5], "what waits keeps waiting"
    assert json.loads(told(store, "retry", "--all", "--json"))["retried"] == 5
    assert [n.alert.opened for n in store.outbox(0, "chat")] == [5, 6]


def test_what_is_let_go_is_told_to_nobody(store: SqliteStore) -> None:
    assert told(store, "drop", "--all") == "1 notice dropped.\n"
    assert [n["state"] for n in json.loads(told(store, "list", "--json"))["notices"]] == ["waiting"] * 4
    assert told(store, "drop", an_alert(6).id, "--waiting") == "2 notices dropped.\n"
    assert told(store, "drop", "--sink", "mail", "--waiting") == "2 notices dropped.\n"
    assert told(store, "list") == "Everything is delivered.\n"
    assert len(store.alerts()) == 3


def test_mistakes_are_told(store: SqliteStore, tmp_path: Path) -> None:
    place = ("--data", str(store.database.directory))
    for words, said in (
        (("retry", *place), "Say which"),
        (("drop", "nothing-1", *place), "No such notice in the outbox: nothing-1"),
        (("list", "--dead", "--waiting", *place), "exclude each other"),
        (("list", "--data", str(tmp_path / "none")), "holds no data of Watchband"),
    ):
        result = run("outbox", *words)
        assert (result.exit_code, said in result.stderr.replace("\n", " ")) == (2, True), result.stderr
