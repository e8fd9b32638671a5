"""``watchband serve`` as people run it: real sockets, real signals, a real disk."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serve.process import ROOT, Process
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.testing.streams import MINUTE, START

pytestmark = pytest.mark.timeout(120)
SECOND = 1_000_000_000


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Process]:
    found = Process(tmp_path)
    yield found
    found.close()


def points(first: int, count: int, spike: int | None = None) -> dict[str, object]:
    numbers = range(first, first + count)
    values = [10 + n % 7 + (50 if spike is not None and spike <= n < spike + 5 else 0) for n in numbers]
    return {"series": "cpu", "times": [(START + n * MINUTE) // SECOND for n in numbers], "values": values}


def push(served: Process, *args: int, **given: int) -> httpx.Response:
    return served.client.post("/api/v1/points", json=points(*args, **given))


def told(served: Process) -> list[dict[str, object]]:
    path = served.folder / "alerts.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_from_a_push_to_a_message_through_restart_and_reload(served: Process) -> None:
    served.start("--log-format", "json")
    assert push(served, 0, 152, spike=150).json()["accepted"] == 152
    served.until(lambda: len(told(served)) == 1)
    # A restart knows what was before: the same alert ends, no other begins.
    assert served.end() == 0
    served.start("--log-format", "json")
    push(served, 152, 48)
    served.until(lambda: len(told(served)) == 2)
    alerts = served.asked("/api/v1/status/alerts")["alerts"]
    assert [a["closed"] is not None for a in alerts] == [True]
    # A bad file leaves the old configuration running, and says where it is bad.
    good = (served.folder / "watchband.yaml").read_text()
    served.write("watches: {all: {detectr: light}}\n")
    served.send(signal.SIGHUP)
    error = served.until(lambda: served.asked("/api/v1/status")["config"]["last_error"])
    assert "watchband.yaml:1:17" in error
    assert push(served, 200, 10).status_code == 200
    # A good one brings a watch that folds what there was.
    served.write(good)
    served.config["watches"]["more"] = {"match": "cpu", "detector": "ewma", "cutoff": 8}
    served.write()
    served.send(signal.SIGHUP)
    served.until(lambda: [w["series"] for w in served.asked("/api/v1/status")["watches"]] == [1, 1])
    assert served.asked("/api/v1/status")["config"]["last_error"] is None
    acts = served.until(lambda: len(found := served.asked("/api/v1/audit")["data"]) == 2 and found)
    assert [(act["by"], act["deed"]) for act in acts] == [("SIGHUP", "reload")] * 2
    assert "+more" in acts[0]["text"]
    assert acts[1]["text"].startswith("refused: ")
    assert served.end(signal.SIGINT) == 0
    lines = [json.loads(line) for line in served.said().splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert any(line["message"] == "stopped" and line["drained"] for line in lines)


def test_what_was_answered_while_it_ends_is_kept_and_the_rest_is_to_come_again(served: Process) -> None:
    served.start()
    answered: list[int] = []
    refused: list[httpx.Response] = []

    def send(worker: int) -> None:
        with httpx.Client(base_url=served.client.base_url, timeout=30.0) as client:
            for n in range(400):
                one = {"series": f"s{worker}", "time": START // SECOND + n, "value": n}
                try:
                    answer = client.post("/api/v1/points", json=one)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    answered.append(worker * 1000 + n)
                else:
                    refused.append(answer)
                    return

    senders = [threading.Thread(target=send, args=(w,)) for w in range(4)]
    for sender in senders:
        sender.start()
    served.until(lambda: len(answered) > 100)
    assert served.end() == 0
    for sender in senders:
        sender.join(30)
    assert all(r.status_code == 503 and int(r.headers["retry-after"]) >= 1 for r in refused)
    served.start()
    found = served.asked("/api/v1/status")
    total = sum(w["series"] for w in found["watches"])
    assert total == 4
    assert served.end() == 0
    store = SqliteStore(served.folder / "data")
    readings = [r for entry in store.log("main", 0) for r in entry.readings]
    kept = {int(r.key.metric[1:]) * 1000 + int(v) for r in readings for v in r.values.tolist()}
    store.close()
    assert set(answered) <= kept


def test_a_second_signal_ends_at_once_and_loses_nothing(served: Process) -> None:
    served.start()
    push(served, 0, 200, spike=150)
    assert served.process is not None
    # Both wait for it when it goes on, so the second finds it at the very beginning of its end.
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        served.send(number)
    assert served.process.wait(20) in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    assert "states written" not in served.said()
    served.start()
    assert served.asked("/api/v1/status/alerts")["total"] == 1
    assert push(served, 200, 10).json()["accepted"] == 10


def test_two_processes_on_one_directory_do_not_start(served: Process, tmp_path: Path) -> None:
    served.start()
    other = tmp_path / "other"
    other.mkdir()
    second = Process(other, store={"path": str(served.folder / "data")})
    command = [sys.executable, "-m", "watchband", "serve", str(other / "watchband.yaml")]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "python")}, timeout=60, check=False
    )
    second.close()
    assert done.returncode == 2
    assert "in use by another process" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_said(served: Process, tmp_path: Path) -> None:
    served.start()
    other = tmp_path / "other"
    other.mkdir()
    second = Process(other, server={"listen": f"127.0.0.1:{served.port}"})
    done = subprocess.run(
        [sys.executable, "-m", "watchband", "serve", str(other / "watchband.yaml")],
        capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "python")}, timeout=60, check=False,
    )  # fmt: skip
    second.close()
    assert (done.returncode, "cannot be listened on" in done.stderr) == (2, True)


def test_status_from_the_command_line(served: Process) -> None:
    served.start()
    push(served, 0, 60)
    command = [sys.executable, "-m", "watchband", "status", "--config", str(served.folder / "watchband.yaml")]
    environment = {"PYTHONPATH": str(ROOT / "python"), "COLUMNS": "100"}

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more], capture_output=True, text=True, env=environment, timeout=60, check=False
        )

    shown = run()
    assert shown.returncode == 0, shown.stderr
    for word in ("ready", "Sources", "push", "Watches", "all", "Sinks", "file", " in the log"):
        assert word in shown.stdout
    assert json.loads(run("--json").stdout)["ready"] is True
    assert "The last score is" in run("--series", "cpu").stdout
    assert "No watched series matches" in run("--series", "mem").stdout
    served.write((served.folder / "watchband.yaml").read_text() + "\nwathces: {}\n")
    assert json.loads(run("--json").stdout)["ready"] is True, "the section server can be read"
    bare = run("--url", f"127.0.0.1:{served.port}", "--json")
    assert (bare.returncode, bare.stderr) == (0, "")
    assert served.end() == 0
    gone = run()
    assert (gone.returncode, "Is 'watchband serve' running?" in gone.stderr) == (2, True)
