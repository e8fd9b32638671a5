"""Tasks over a real socket: budget over every series, an export, a backup, a replay; progress, roles, audit."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.server.test_api import get, push
from tests.apps.server.test_windows import ask
from tests.apps.server.world import World
from tests.apps.service.test_service import until
from tests.apps.service.worlds import HandClock, watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.adapters.stores.sqlite.settings import SqliteSettings
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.apps.service.tasks import Found, Task
from watchband.core.secret import Secret
from watchband.testing.streams import MINUTE, START


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("store") / "data"
    budgeted = watch(detector="ewma", cutoff=None, budget="1/week")
    clock = HandClock(START + 2000 * MINUTE)
    with World(watches={"all": budgeted}, store=SqliteSettings(path=str(folder)), clock=clock) as world:
        assert isinstance(world.service.scores, ScoreBook)
        for host, spike in (("a", 1998), ("b", 1900), ("c", None)):
            push(world, 0, 2000, f'cpu{{host="{host}"}}', spike)
        yield world


def done(world: World, **body: Any) -> Any:
    """A task that was started, when it is over."""
    task = ask(world, "POST", "tasks", body)["id"]
    until(lambda: get(world, f"tasks/{task}")["state"] not in ("waiting", "running"))
    return get(world, f"tasks/{task}")


def test_a_budget_over_every_series_says_what_the_quick_preview_says(world: World) -> None:
    task = done(world, kind="budget", watch="all", budget="2/day", period="1w")
    assert (task["state"], task["percent"], task["error"]) == ("done", 100, None)
    found = get(world, f"tasks/{task['id']}/result")
    assert found == get(world, "watches/all/preview", budget="2/day", period="1w")
    assert found["looked_at"] == found["series"] == 3


def test_an_export_is_one_file_of_all_points(world: World) -> None:
    task = done(world, kind="export", series='cpu{host=~"a|b"}')
    assert (task["state"], task["summary"]["rows"], task["summary"]["series"]) == ("done", 4000, 2)
    answer = world.client.get(task["result"])
    assert answer.headers["content-disposition"] == f'attachment; filename="{task["file"]}"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 4000
    points = get(world, "series/points", series='cpu{host="a"}')
    mine = [row for row in rows if row["series"] == 'cpu{host="a"}']
    assert [float(row["y"]) for row in mine] == pytest.approx(points["y"], rel=1e-6)
    assert sum(row["alert"] == "1" for row in mine) > 0
    part = done(world, kind="export", series="cpu", **{"from": "2024-01-01T00:00:00Z", "to": "2024-01-01T00:10:00Z"})
    assert part["state"] == "done"


def test_a_backup_is_a_store_that_can_be_restored(world: World) -> None:
    task = done(world, kind="backup")
    assert task["state"] == "done", task["error"]
    folder = Path(task["summary"]["directory"])
    assert folder.parent.name == "data-backups"
    assert (folder / "backup.json").exists()
    assert task["summary"]["series"] == 3
    again = done(world, kind="backup")
    assert (again["state"], "there already" in again["error"]) == ("failed", True)


def test_a_replay_of_the_log_comes_to_the_same_state(world: World) -> None:
    world.service.engine.call(world.service.runner.save).result(10)
    task = done(world, kind="replay", watch="all")
    assert task["summary"]["same"] is True, task


def test_progress_is_streamed_and_a_task_is_cancelled(world: World) -> None:
    gate = threading.Event()

    def work(task: Task) -> Found:
        while not gate.wait(0.01):
            task.progress("half of it", 1, 2)
        return Found({})

    mark = world.service.changes.mark
    task = world.service.tasks.start("export", "a long one", "local", work)
    until(lambda: get(world, f"tasks/{task.id}")["percent"] == 50)
    found = get(world, "tasks", state="running")["data"][0]
    assert (found["phase"], found["eta_seconds"] is not None, found["result"]) == ("half of it", True, None)
    assert "tasks" in world.service.changes.since(mark)
    assert ask(world, "GET", f"tasks/{task.id}/result", status=409)["detail"].startswith("The task is running")
    assert ask(world, "DELETE", f"tasks/{task.id}")["cancelling"]
    until(lambda: get(world, f"tasks/{task.id}")["state"] == "cancelled")
    ask(world, "DELETE", f"tasks/{task.id}")
    said = ask(world, "GET", f"tasks/{task.id}", status=404)["detail"]
    assert "a restart forgets all of them" in said


def test_what_cannot_be_done_is_refused_before_it_begins(world: World) -> None:
    before = get(world, "tasks")["total"]
    for body, said in (
        ({"kind": "budget"}, "'watch'"),
        ({"kind": "budget", "watch": "none"}, "no watch 'none'"),
        ({"kind": "budget", "watch": "all", "budget": "often"}, "budget"),
        ({"kind": "export", "series": "none"}, "No series is known"),
        ({"kind": "export", "series": "{"}, "selector"),
        ({"kind": "export", "from": "2025-01-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}, "'to'"),
        ({"kind": "replay", "watch": "none"}, "no watch 'none'"),
        ({"kind": "recompute"}, "kind"),
    ):
        assert said in ask(world, "POST", "tasks", body, 400)["detail"], body
    assert get(world, "tasks")["total"] == before


def test_who_started_what_stands_in_the_audit_log(world: World) -> None:
    task = done(world, kind="export", series='cpu{host="c"}')
    act = next(a for a in get(world, "audit")["data"] if a["target"] == task["id"])
    assert (act["deed"], act["by"], act["text"]) == ("task", "local", 'points of cpu{host="c"} as CSV')


def test_a_backup_needs_an_admin_and_others_do_not_end_what_one_started() -> None:
    tokens = {
        name: TokenSettings(Secret(f"token-of-{name}"), role) for name, role in (("ann", "admin"), ("bob", "operator"))
    }  # type: ignore[arg-type]
    with World(server=ServerSettings(listen="127.0.0.1:0", tokens=tokens)) as world:
        bob, ann = ({"authorization": f"Bearer token-of-{name}"} for name in ("bob", "ann"))
        answer = world.client.post("/api/v1/tasks", json={"kind": "backup"}, headers=bob)
        assert (answer.status_code, answer.json()["role"]) == (403, "admin")
        answer = world.client.post("/api/v1/tasks", json={"kind": "backup"}, headers=ann)
        assert answer.status_code == 400
        assert "has no directory" in answer.json()["detail"]
        task = world.service.tasks.start("export", "hers", "ann", lambda task: Found({}))
        assert world.client.delete(f"/api/v1/tasks/{task.id}", headers=bob).status_code == 403
        assert world.client.delete(f"/api/v1/tasks/{task.id}", headers=ann).status_code == 200
