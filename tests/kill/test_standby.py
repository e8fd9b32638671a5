"""Two ``watchband serve`` on one PostgreSQL: the one that leads is killed or held, the other goes on where it was."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.kill.load import ENOUGH, Sender, senders_to, wait_for
from tests.kill.receiver import Receiver
from tests.kill.served import Served, free_port
from tests.kill.verdict import WATCHES, acknowledged_is_kept, alerts_are_equal, told, undisturbed
from tests.servers.postgres import Server
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.apps.config.config import read_config
from watchband.core.secret import Secret

TAKEOVERS = max(6, int(os.environ.get("WATCHBAND_KILLS", "0")) // 4)
CONFIG = """\
sources: {{push: {{kind: push}}, remote_write: {{kind: remote_write}}}}
sinks: {{receiver: {{kind: webhook, url: "{url}", allow_private: true, per_minute: 0}}}}
store: {{kind: postgres, url: "{database}", password_file: "{password}", lease: 1s}}
server: {{listen: "127.0.0.1:{port}"}}
engine: {{snapshot_points: 2000}}
"""


class Pair:
    """Two processes; which of them leads stands in the database."""

    def __init__(self, directory: Path, server: Server, receiver: Receiver) -> None:
        self.server, self.database = server, server.database()
        password = directory / "password"
        password.write_text(server.password + "\n")
        self.both = []
        for name in ("a", "b"):
            port, config = free_port(), directory / f"{name}.yaml"
            text = CONFIG.format(url=receiver.url, database=self.database, password=password, port=port)
            config.write_text(WATCHES + text)
            self.both.append(Served(config, port))

    def leader(self) -> Served | None:
        """Who leads, as far as the database knows and is right."""
        rows = self.server.do(self.database, "SELECT holder FROM watchband.lease WHERE expires > clock_timestamp()")
        return next((s for s in self.both if rows and rows[0][0].endswith(f":{s.pid}")), None)

    def state(self) -> str:
        """What is to be known when nobody takes over."""
        rows = self.server.do(self.database, "SELECT *, clock_timestamp() FROM watchband.lease")
        rows += self.server.do(
            self.database, "SELECT pid, state, wait_event, query FROM pg_stat_activity WHERE usename = current_user"
        )
        return "\n".join([*map(str, rows), *(f"{served.pid}: {served.said()}" for served in self.both)])

    def waiting(self) -> int:
        """Notices that wait."""
        return int(self.server.do(self.database, "SELECT count(*) FROM watchband.notices WHERE NOT dead")[0][0])


def take_over(pair: Pair, how: str, receiver: Receiver) -> None:
    """The leader is lost, and another leads."""
    leader = pair.leader()
    assert leader is not None
    if how == "kill":
        leader.kill()
        receiver.killed()
    else:
        os.kill(leader.pid, signal.SIGSTOP)
        receiver.killed()
    wait_for(lambda: pair.leader() not in (None, leader), 30, f"after a {how} the other takes over", pair.state)
    if how == "kill":
        leader.start()
    else:
        os.kill(leader.pid, signal.SIGCONT)


def taken(senders: list[Sender], least: int = 0) -> None:
    """Wait until every sender was answered once more, and so often in all."""
    steps = [max(sender.acknowledged + 1, least) for sender in senders]
    wait_for(lambda: all(s.acknowledged >= n for s, n in zip(senders, steps, strict=True)), 180, "points are taken")


@pytest.mark.timeout(400 + 10 * TAKEOVERS)
def test_the_leader_is_lost_under_load(
    tmp_path: Path, postgres: Server, receiver: Receiver, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(TAKEOVERS)
    pair = Pair(tmp_path, postgres, receiver)
    senders = senders_to([served.port for served in pair.both], patience_s=2.0)
    for served in pair.both:
        request.addfinalizer(served.remove)
        served.start()
    wait_for(lambda: any(served.ready() for served in pair.both), 60, "one of them leads")
    for sender in senders:
        sender.start()
    for number in range(TAKEOVERS):
        taken(senders)
        time.sleep(chance.uniform(0.0, 0.5))
        take_over(pair, "hold" if number % 3 == 1 else "kill", receiver)
    taken(senders, ENOUGH)
    for sender in senders:
        sender.end()
    for sender in senders:
        sender.join(30)
        assert not sender.error
    wait_for(lambda: not pair.waiting(), 60, "the outbox is empty")
    for served in pair.both:
        wait_for(served.answer, 60, "a process that stands by says so")
        served.stop()

    store = PostgresStore(pair.database, password=Secret(postgres.password))
    (tmp_path / "judge.yaml").write_text(WATCHES)
    bounds = read_config(tmp_path / "judge.yaml").bounds()
    points = acknowledged_is_kept(store, senders)
    other = undisturbed(store, bounds, {bound.name: ["receiver"] for bound in bounds})
    alerts = alerts_are_equal(store, other)
    assert not store.dead_letters()
    store.close()
    assert receiver.unique() == told(other), "a notification is lost, or was decided twice"
    receiver.check(held=True)
    assert points > 48 * TAKEOVERS
    assert alerts >= len(senders)
    sys.stdout.write(f"{TAKEOVERS} takeovers: {points:,} points, {alerts} alerts, {len(receiver.repeats())} repeats\n")
