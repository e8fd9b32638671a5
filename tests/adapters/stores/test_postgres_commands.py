"""``watchband outbox`` and ``state`` on PostgreSQL, beside the process that leads."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.apps.test_cli import run
from tests.servers.postgres import Server, programs
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.apps.config.watches import WatchSettings
from watchband.core.ports import Batch, Commit, Readings
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey
from watchband.pipeline.runner import Runner
from watchband.testing.contracts.outbox import an_alert
from watchband.testing.streams import MINUTE, START

KEY = SeriesKey("cpu")


@pytest.fixture
def shared(postgres: Server, tmp_path: Path) -> Iterator[tuple[PostgresStore, Path]]:
    """A store that is led and stays open, and a configuration that names it."""
    url = postgres.database()
    store = PostgresStore(url, password=Secret(postgres.password), lease_s=60.0)
    assert store.lead()
    config, words = tmp_path / "watchband.yaml", tmp_path / "password"
    words.write_text(postgres.password)
    config.write_text(
        f"store: {{kind: postgres, url: '{url}', password_file: {words}}}\n"
        "sources: {push: {}}\nwatches: {w: {}}\nsinks: {chat: {kind: stdout}}\n"
    )
    store.commit(Commit("s", 1, alerts=[an_alert(k) for k in (5, 6, 7)], routes={"w": ["chat"]}))
    first, second, _ = store.outbox(10)
    store.dead(first, "refused")
    store.postponed(second, 2**61, "busy")
    yield store, config
    store.close()


def said(config: Path, *words: str) -> dict[str, object]:
    result = run("outbox", *words, "--config", str(config), "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_notices_are_listed_retried_and_dropped(shared: tuple[PostgresStore, Path]) -> None:
    store, config = shared
    listed = said(config, "list")["notices"]
    assert [(n["state"], n["tries"], n["error"]) for n in listed] == [  # type: ignore[attr-defined]
        ("dead", 1, "refused"),
        ("waiting", 1, "busy"),
        ("waiting", 0, ""),
    ]
    assert said(config, "retry", "--all")["retried"] == 3
    assert len(store.outbox(10)) == 3, "the process that leads delivers them now"
    assert said(config, "drop", an_alert(6).id, "--waiting")["dropped"] == 1
    assert [n.alert.opened for n in store.outbox(10)] == [5, 7]
    assert store.lead(), "the command took the lead"


def test_a_store_that_is_not_there_is_said_without_its_password(
    shared: tuple[PostgresStore, Path], postgres: Server, tmp_path: Path
) -> None:
    _, config = shared
    config.write_text(config.read_text().replace("kind: postgres", "kind: postgres, schema: other"))
    result = run("outbox", "list", "--config", str(config))
    assert result.exit_code != 0
    assert postgres.password not in result.stderr + result.stdout


def test_a_dump_restores_what_was_acknowledged(
    shared: tuple[PostgresStore, Path], postgres: Server, tmp_path: Path
) -> None:
    store, _ = shared
    readings = [Readings(KEY, START + np.arange(60) * MINUTE, np.arange(60.0) % 7)]
    store.commit(Commit("s", 2, readings, (), {"push": "1"}))
    other, dump = postgres.database(), str(tmp_path / "watchband.dump")

    def ran(program: str, *words: str) -> None:
        environment = {**os.environ, "PGPASSWORD": postgres.password}
        done = subprocess.run(
            [programs() / program, "--no-owner", *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    ran("pg_dump", "--schema=watchband", "--format=custom", f"--file={dump}", store.address.url)
    store.commit(Commit("s", 3))
    ran("pg_restore", "--exit-on-error", f"--dbname={other}", dump)
    again = PostgresStore(other, password=Secret(postgres.password))
    try:
        assert not again.lead(), "the lease is of the dump: it runs out as if its process were gone"
        postgres.do(other, "UPDATE watchband.lease SET expires = clock_timestamp()")
        assert again.lead()
        assert [(c.sequence, c.positions) for c in again.log("s", 0)] == [(1, {}), (2, {"push": "1"})]
        (_, entry) = again.log("s", 0)
        assert entry.readings[0].values.tolist() == readings[0].values.tolist()
        assert again.alerts() == store.alerts()
        assert (len(again.dead_letters()), again.head("s")) == (1, 2)
        again.commit(Commit("s", 3))
    finally:
        again.close()


def test_what_is_for_sqlite_says_what_to_do_instead(shared: tuple[PostgresStore, Path]) -> None:
    _, config = shared
    refused = run("recompute", "w", "--config", str(config))
    assert refused.exit_code != 0
    assert "Got 'postgres'. On PostgreSQL, copy the schema with pg_dump" in " ".join(refused.stderr.split())


def test_states_are_listed_carried_away_and_back(shared: tuple[PostgresStore, Path], tmp_path: Path) -> None:
    store, config = shared
    watch = WatchSettings(detector="rolling_zscore:window=20", cutoff=6.0).bound("w")
    runner = Runner(watch, store, shard="s")
    runner.step("push", Batch([Readings(KEY, START + np.arange(60) * MINUTE, np.arange(60.0) % 7)], "1"))
    runner.save()
    kept = str(tmp_path / "w.state")

    def state(*words: str) -> str:
        result = run("state", *words, "--config", str(config))
        assert result.exit_code == 0, result.stderr
        return result.stdout

    (listed,) = json.loads(state("list", "--json"))
    assert (listed["watch"], listed["series"], listed["head"]) == ("w", 1, 2)
    assert "1 watch" not in state("export", "w", kept)
    refused = run("state", "import", kept, "--config", str(config))
    assert refused.exit_code != 0
    assert "leads" in refused.stderr
    runner.step("push", Batch([Readings(KEY, START + np.arange(60, 70) * MINUTE, np.arange(10.0))], "2"))
    store.close()
    assert "behind entry 3" in state("import", kept)
    (listed,) = json.loads(state("list", "--json"))
    assert listed["snapshots"][0]["sequence"] == 3
