"""Against Debian's Alertmanager: what it fires, groups, silences and resolves of what it is told."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.listener import Listener, Says
from tests.adapters.servers import free_port, program, running
from watchband.adapters.sinks.alertmanager import Alertmanager, AlertmanagerSettings
from watchband.core.clock import SystemClock
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.ports import Notice, Standing
from watchband.core.series import SeriesKey
from watchband.testing.contracts.sink import HOSTILE, a_notice

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@contextlib.contextmanager
def alertmanager(folder: Path, port: int, hook: str) -> Iterator[str]:
    """Debian's Alertmanager, quick to notify; its address."""
    (folder / "am.yml").write_text(
        f"""
route: {{receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 300ms, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: '{hook}', send_resolved: true}}]}}]
"""
    )
    command = [
        program("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={folder / 'am.yml'}",
        f"--storage.path={folder / 'am'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    address = f"http://127.0.0.1:{port}"
    with running(command, f"{address}/-/ready", folder / "am.log"):
        yield address


@pytest.fixture
def hook() -> Iterator[Listener]:
    with Listener(Says()) as there:
        yield there


def opened(address: str | list[str], **settings: Any) -> Alertmanager:
    urls = (address,) if isinstance(address, str) else tuple(address)
    return AlertmanagerSettings(url=urls, allow_private=True, **settings).open("am", clock=SystemClock())


def now(**changes: Any) -> Notice:
    """A notice of something that began two minutes ago."""
    return a_notice(changes.pop("revision", 1), time.time_ns() - 2 * MINUTE, **changes)


def of_host(host: str, **changes: Any) -> Notice:
    return now(series=SeriesKey("request_latency_ms", {"service": "checkout", "host": host}), **changes)


def listed(address: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def told(hook: Listener) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in hook.asked]


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_it_fires_groups_escalates_and_resolves(hook: Listener, tmp_path: Path) -> None:
    with alertmanager(tmp_path, free_port(), hook.url) as address:
        sink = opened(address, labels={"team": "web"})
        first, second = of_host("a", severity="warning"), of_host("b", severity="warning")
        sink.write(first)
        sink.write(second)
        until(lambda: len(listed(address)) == 2, "two alerts")
        until(lambda: any(len(n["alerts"]) == 2 for n in told(hook)), "both in one notification: one group")
        alert = next(a for a in told(hook)[-1]["alerts"] if a["labels"]["host"] == "a")
        assert alert["status"] == "firing"
        assert alert["labels"] == {
            "alertname": "web",
            "watch": "web",
            "metric": "request_latency_ms",
            "severity": "warning",
            "team": "web",
            "service": "checkout",
            "host": "a",
        }
        assert "expected" in alert["annotations"]["summary"]
        worse = dataclasses.replace(first.alert, severity="critical")
        sink.write(dataclasses.replace(first, alert=worse, revision=2))
        until(lambda: [a["labels"]["severity"] for a in listed(address) if a["labels"]["host"] == "a"] == ["critical"],
              "the old severity is resolved when the new one fires")  # fmt: skip
        ended = dataclasses.replace(worse, closed=time.time_ns() - MINUTE)
        sink.write(dataclasses.replace(first, alert=ended, revision=3))
        until(lambda: [a["labels"]["host"] for a in listed(address)] == ["b"], "resolved")
        until(lambda: any(a["status"] == "resolved" and a["labels"]["severity"] == "critical"
                          for n in told(hook) for a in n["alerts"]), "people hear that it ended")  # fmt: skip
        sink.close()


def test_nobody_is_told_twice_after_a_restart_of_either(hook: Listener, tmp_path: Path) -> None:
    port, notice, other = free_port(), of_host("a"), of_host("b")
    with alertmanager(tmp_path, port, hook.url) as address:
        sink = opened(address)
        sink.write(notice)
        until(lambda: len(hook.asked) == 1, "told once")
        sink.close()
        again = opened(address)
        again.tend(Standing([notice]))
        again.write(notice)
        # What comes later is told; what was repeated is not.
        again.write(dataclasses.replace(other, alert=dataclasses.replace(other.alert, watch="other")))
        until(lambda: len(hook.asked) == 2, "the other watch is told")
        assert [n["groupLabels"]["alertname"] for n in told(hook)] == ["web", "other"]
        until(lambda: len(listed(address)) == 2, "both")
    with alertmanager(tmp_path, port, hook.url) as address:
        assert listed(address) == [], "it forgets alerts when it ends"
        again.tend(Standing([notice]))
        until(lambda: len(listed(address)) == 1, "repeated")
        third = of_host("c")
        again.write(dataclasses.replace(third, alert=dataclasses.replace(third.alert, watch="third")))
        until(lambda: len(hook.asked) == 3, "the third watch is told")
        assert [n["groupLabels"]["alertname"] for n in told(hook)] == ["web", "other", "third"]
        again.close()


def test_what_is_silenced_stays_silent(hook: Listener, tmp_path: Path) -> None:
    with alertmanager(tmp_path, free_port(), hook.url) as address:
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        silence = {
            "matchers": [{"name": "host", "value": "a", "isRegex": False, "isEqual": True}],
            "startsAt": time.strftime(stamp, time.gmtime(time.time() - 60)),
            "comment": "work",
            "createdBy": "me",
            "endsAt": time.strftime(stamp, time.gmtime(time.time() + 3600)),
        }
        request = urllib.request.Request(
            f"{address}/api/v2/silences", json.dumps(silence).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()
        sink = opened(address)
        sink.write(of_host("a"))
        until(lambda: [a["status"]["state"] for a in listed(address)] == ["suppressed"], "silenced")
        other = of_host("b")
        sink.write(dataclasses.replace(other, alert=dataclasses.replace(other.alert, watch="loud")))
        until(lambda: len(hook.asked) == 1, "the other one is told")
        assert told(hook)[0]["groupLabels"] == {"alertname": "loud"}
        sink.close()


def test_whatever_labels_say_it_takes_and_gives_back(hook: Listener, tmp_path: Path) -> None:
    with alertmanager(tmp_path, free_port(), hook.url) as address:
        sink = opened(address)
        for number, text in enumerate(HOSTILE.values()):
            series = SeriesKey(f"m {text[:100]}", {"label": text, "host.name": str(number), "severity": "x"})
            notice = now(series=series)
            sink.write(notice)
            sink.write(
                dataclasses.replace(notice, revision=2, alert=dataclasses.replace(notice.alert, severity="info"))
            )
        until(lambda: len(listed(address)) == len(HOSTILE), "each once, in its new severity")
        assert {a["labels"]["severity"] for a in listed(address)} == {"info"}
        sink.close()


def test_an_alert_that_is_not_repeated_ends_after_the_hold(hook: Listener, tmp_path: Path) -> None:
    class Ago(SystemClock):
        def now(self) -> int:
            return super().now() - 7 * SECOND

    with alertmanager(tmp_path, free_port(), hook.url) as address:
        settings = AlertmanagerSettings(url=(address,), allow_private=True, hold=10 * SECOND)
        sink = settings.open("am", clock=Ago())
        sink.write(of_host("a"))
        assert len(listed(address)) == 1
        until(lambda: not listed(address), "it ends by itself")
        sink.close()


def test_what_was_over_before_anybody_heard_of_it_is_told(hook: Listener, tmp_path: Path) -> None:
    with alertmanager(tmp_path, free_port(), hook.url) as address:
        sink = opened(address)
        sink.write(of_host("a", closed=time.time_ns() - SECOND))
        until(lambda: any(n["status"] == "firing" for n in told(hook)), "people are told")
        assert "was 1.1" in told(hook)[0]["alerts"][0]["annotations"]["summary"]
        sink.close()


def test_of_a_cluster_one_is_enough_and_the_others_hear_of_it_later() -> None:
    down = True

    def second(asked: Any) -> Says:
        return Says(503) if down else Says(body=b"[]")

    with Listener(Says(body=b"[]")) as a, Listener(second) as b:
        sink = opened([a.url, b.url])
        notice = of_host("a")
        sink.write(notice)
        closed = dataclasses.replace(notice, alert=dataclasses.replace(notice.alert, closed=time.time_ns()), revision=2)
        sink.write(closed)
        down = False
        b.asked.clear()
        sink.tend(Standing([of_host("b")]))
        sent = [json.loads(asked.body) for asked in b.asked if asked.method == "POST"]
        assert [[a["labels"]["host"] for a in alerts] for alerts in sent] == [["b"], ["a"]], "the end that it missed"
        b.asked.clear()
        sink.tend(Standing())
        assert not b.asked
        sink.close()


def test_when_none_takes_it_the_notice_waits() -> None:
    with Listener(Says(503, headers={"Retry-After": "4"})) as a, Listener(Says(400, b"bad")) as b:
        sink = opened([b.url, a.url])
        with pytest.raises(TransientError) as caught:
            sink.write(of_host("a"))
        assert caught.value.retry_after == 4
        sink.close()
        sink = opened(b.url)
        with pytest.raises(PermanentError):
            sink.write(of_host("a"))
        sink.close()


def test_a_private_address_needs_the_switch() -> None:
    with pytest.raises(ConfigError, match="allow_private: true"):
        AlertmanagerSettings(url=("http://127.0.0.1:9093",))
