"""``watchband serve`` killed while challengers come, are promoted and rolled back: nothing lost, decided once."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.kill.load import ENOUGH, senders_to, wait_for
from tests.kill.receiver import Receiver
from tests.kill.served import Served, free_port
from tests.kill.test_serve import CONFIG
from tests.kill.verdict import NEVER, SHARD, WATCHES, acknowledged_is_kept, told, undisturbed
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.config.config import read_config
from watchband.core.alert import Alert
from watchband.core.events import ModelPromoted
from watchband.pipeline.lineage import Lineage
from watchband.pipeline.replay import check
from watchband.pipeline.runner import Runner

KILLS = max(3, int(os.environ.get("WATCHBAND_KILLS", "20")) // 6)


class Changer(threading.Thread):
    """Starts challengers, promotes them, refuses them and rolls back, whatever comes of it.

    The detector of its challengers is that of the watch bit for bit, and a cut-off learns nothing: whoever judges, the
    verdicts must be those of a watch that was never changed.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.url, self.chance = f"http://127.0.0.1:{port}/api/v1/models", random.Random(7)
        self.promoted, self.over = 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.chance.uniform(0.0, 0.2)):
            try:
                self.act()
            except (OSError, ValueError, urllib.error.URLError):
                continue

    def act(self) -> None:
        (one,) = self.ask("/challengers")["data"]
        if one["challenger"] is None:
            if one["former"] is not None and self.chance.random() < 0.5:
                self.promoted += bool(self.ask("/rollback", {"watch": "all"}))
            elif one["former"] is not None and self.chance.random() < 0.5:
                self.ask("/refuse", {"watch": "all", "model": one["former"]["number"]})
            elif one["learning"] is None:
                self.ask("/challengers", {"watch": "all", "learned": "cutoff"})
        elif self.chance.random() < 0.8:
            self.promoted += bool(self.ask("/promote", {"watch": "all", "model": one["challenger"]["number"]}))
        else:
            self.ask("/refuse", {"watch": "all", "model": one["challenger"]["number"]})

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)


@pytest.mark.timeout(240 + 20 * KILLS)
def test_killed_while_models_change(tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest) -> None:
    chance, port = random.Random(KILLS), free_port()
    config, data = tmp_path / "watchband.yaml", tmp_path / "data"
    config.write_text(WATCHES + CONFIG.format(url=receiver.url, directory=data, port=port))
    served, senders, changer = Served(config, port), senders_to([port]), Changer(port)
    request.addfinalizer(served.remove)
    served.start()
    served.until_ready()
    for thread in (*senders, changer):
        thread.start()
    for _ in range(KILLS):
        served.until_ready()
        time.sleep(chance.uniform(0.2, 2.0))
        served.kill()
        receiver.killed()
        served.start()
    served.until_ready()
    wait_for(lambda: changer.promoted >= 2, 180, "models were promoted")
    changer.over.set()
    changer.join(60)
    steps = [max(sender.acknowledged + 1, ENOUGH) for sender in senders]
    wait_for(lambda: all(s.acknowledged >= n for s, n in zip(senders, steps, strict=True)), 180, "points are taken")
    for sender in senders:
        sender.end()
        sender.join(30)
        assert not sender.error
    look = SqliteStore(data, readonly=True)
    wait_for(lambda: not look.outbox(NEVER), 60, "the outbox is empty")
    look.close()
    served.stop()
    found(data, tmp_path, senders, receiver, changer)


def known(alert: Alert) -> dict[str, Any]:
    """All of an alert but how sure it is: a challenger does not count as history what its watch held back."""
    return {name: value for name, value in alert.to_dict().items() if name not in ("confidence", "reason")}


def found(data: Path, tmp_path: Path, senders: list[Any], receiver: Receiver, changer: Changer) -> None:
    """What the log that is left must say."""
    (tmp_path / "judge.yaml").write_text(WATCHES)
    (bound,) = read_config(tmp_path / "judge.yaml").bounds()
    store = SqliteStore(data)
    acknowledged_is_kept(store, senders)
    other = undisturbed(store, [bound], {bound.name: ["receiver"]})
    assert [known(alert) for alert in store.alerts()] == [known(alert) for alert in other.alerts()]
    assert receiver.unique().keys() == told(other).keys(), "a notification is lost, or was decided twice"
    receiver.check()
    events = [record.event for record in store.model_events()]
    assert sum(isinstance(event, ModelPromoted) for event in events) >= changer.promoted
    lineage = Lineage()
    for event in events:
        lineage = lineage.after(event)
    live = Runner([bound], store, shard=SHARD).live()
    assert live.lanes["all"].state.upstream.lineage == lineage
    assert len(live.shadows.lanes) == len(lineage.shadows)
    assert not live.shadows.failed
    assert check(bound, store, SHARD).same is not False
    store.close()
