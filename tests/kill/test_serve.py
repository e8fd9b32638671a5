"""``watchband serve`` killed at random instants under load: nothing acknowledged lost, each alert decided once."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest

from tests.kill.load import ENOUGH, senders_to, wait_for
from tests.kill.receiver import Receiver
from tests.kill.served import Served, free_port
from tests.kill.verdict import NEVER, WATCHES, acknowledged_is_kept, alerts_are_equal, told, undisturbed
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.config.config import read_config

KILLS = int(os.environ.get("WATCHBAND_KILLS", "20"))
CONFIG = """\
sources: {{push: {{kind: push}}, remote_write: {{kind: remote_write}}}}
sinks: {{receiver: {{kind: webhook, url: "{url}", allow_private: true, per_minute: 0}}}}
store: {{kind: sqlite, path: "{directory}"}}
server: {{listen: "127.0.0.1:{port}"}}
engine: {{snapshot_points: 2000}}
"""


@pytest.mark.timeout(240 + 12 * KILLS)
def test_killed_under_load(tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest) -> None:
    chance = random.Random(KILLS)
    port = free_port()
    config, data = tmp_path / "watchband.yaml", tmp_path / "data"
    config.write_text(WATCHES + CONFIG.format(url=receiver.url, directory=data, port=port))
    served = Served(config, port)
    senders = senders_to([port])
    request.addfinalizer(served.remove)
    served.start()
    served.until_ready()
    for sender in senders:
        sender.start()
    for kill in range(KILLS):
        if kill % 4 == 3:
            # Now and then while it starts, or restores.
            time.sleep(chance.uniform(0.0, served.took_s))
        else:
            served.until_ready()
            time.sleep(chance.uniform(0.0, 1.0))
        served.kill()
        receiver.killed()
        served.start()
    served.until_ready()
    steps = [max(sender.acknowledged + 1, ENOUGH) for sender in senders]
    wait_for(lambda: all(s.acknowledged >= n for s, n in zip(senders, steps, strict=True)), 180, "points are taken")
    for sender in senders:
        sender.end()
    for sender in senders:
        sender.join(30)
        assert not sender.error
    look = SqliteStore(data, readonly=True)
    wait_for(lambda: not look.outbox(NEVER), 60, "the outbox is empty")
    look.close()
    served.stop()

    store = SqliteStore(data, readonly=True)
    (tmp_path / "judge.yaml").write_text(WATCHES)
    bounds = read_config(tmp_path / "judge.yaml").bounds()
    points = acknowledged_is_kept(store, senders)
    other = undisturbed(store, bounds, {bound.name: ["receiver"] for bound in bounds})
    alerts = alerts_are_equal(store, other)
    assert not store.dead_letters()
    store.close()
    expected = told(other)
    assert receiver.unique() == expected, "a notification is lost, or was decided twice"
    receiver.check()
    assert points > 48 * KILLS
    assert alerts >= len(senders)
    sys.stdout.write(
        f"{KILLS} kills: {points:,} points, {alerts} alerts, {len(expected)} notices, "
        f"{len(receiver.repeats())} repeats\n"
    )
