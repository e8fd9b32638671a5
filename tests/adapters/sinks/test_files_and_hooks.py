"""The webhook's signature and bodies; the file that is written to for years."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.listener import Listener, Says
from watchband.adapters.sinks.jsonl import Jsonl, JsonlSettings
from watchband.adapters.sinks.webhook import Webhook, WebhookSettings, body_of
from watchband.core.clock import SystemClock
from watchband.core.duration import MINUTE
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.secret import Secret
from watchband.testing.contracts.sink import START, a_notice

SECOND = 1_000_000_000


class At(SystemClock):
    """A clock that stands."""

    def now(self) -> int:
        return 1_772_370_120 * SECOND


def hook(url: str, **settings: Any) -> Webhook:
    return WebhookSettings(url=url, allow_private=True, **settings).open("hook", clock=At())


def test_a_receiver_can_tell_who_sent_it_and_when() -> None:
    with Listener(Says(202)) as there:
        sink = hook(f"{there.url}/in", signing_key=Secret("the key"), headers={"X-Team": "web"})
        sink.write(a_notice())
        sink.close()
    (asked,) = there.asked
    moment, digest = (part.partition("=")[2] for part in asked.headers["watchband-signature"].split(","))
    assert moment == "1772370120"
    assert hmac.new(b"the key", moment.encode() + b"." + asked.body, hashlib.sha256).hexdigest() == digest
    assert asked.headers["idempotency-key"] == a_notice().id
    assert (asked.headers["watchband-event"], asked.headers["x-team"]) == ("opened", "web")


def test_who_is_still_busy_with_a_notice_is_asked_again() -> None:
    with Listener(Says(409)) as there:
        sink = hook(there.url)
        with pytest.raises(TransientError, match="still busy"):
            sink.write(a_notice())
        sink.close()


def test_bodies_say_what_their_forms_want() -> None:
    opened, ended = a_notice(), a_notice(2, closed=START + 9 * MINUTE)
    kind, body = body_of(opened, "native", "hook")
    native = json.loads(body)
    assert kind == "application/json"
    assert (native["event"], native["alert"]["opened"]) == ("opened", "2026-03-01T13:02:00Z")
    assert native["alert"]["labels"] == {"host": "web-1", "service": "checkout"}
    assert json.loads(body_of(ended, "native", "hook")[1])["alert"]["closed"] == "2026-03-01T13:11:00Z"
    fired, resolved = (json.loads(body_of(n, "alertmanager", "hook")[1]) for n in (opened, ended))
    assert set(fired) == {
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels"),
        *("commonAnnotations", "externalURL", "alerts"),
    }
    assert (fired["version"], fired["status"], resolved["status"]) == ("4", "firing", "resolved")
    assert fired["groupKey"] == resolved["groupKey"]
    assert fired["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert resolved["alerts"][0]["endsAt"] == "2026-03-01T13:11:00Z"
    assert fired["alerts"][0]["fingerprint"] == resolved["alerts"][0]["fingerprint"]
    kind, body = body_of(ended, "cloudevents", "hook")
    event = json.loads(body)
    assert kind == "application/cloudevents+json"
    assert (event["specversion"], event["id"]) == ("1.0", ended.id)
    assert (event["type"], event["time"]) == ("io.watchband.anomaly.ended.v1", "2026-03-01T13:11:00Z")
    assert event["data"]["id"] == ended.id


def test_webhook_settings_that_cannot_work_are_refused() -> None:
    for given, said in (
        ({}, "either 'url' or 'secret_url'"),
        ({"url": "https://a.test", "secret_url": Secret("https://b.test")}, "either 'url' or 'secret_url'"),
        ({"url": "http://10.0.0.1/"}, "allow_private: true"),
        ({"url": "https://a.test", "headers": {"X-A": "b\r\nX-C: d"}}, "line end"),
        ({"url": "https://a.test", "headers": {"X A": "b"}}, "must be"),
    ):
        with pytest.raises(ConfigError, match=said):
            WebhookSettings(**given)  # type: ignore[arg-type]
    sink = hook("http://127.0.0.1:9", authorization=Secret("Bearer a\r\nX-B: c"))
    with pytest.raises(PermanentError, match="no header may have"):
        sink.write(a_notice())


def file(path: Path, **settings: Any) -> Jsonl:
    return JsonlSettings(path=str(path), **settings).open("record", clock=SystemClock())


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_half_a_line_of_a_crash_is_removed_and_its_notice_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    file(path).write(a_notice())
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        file(path).write(a_notice(opened=START + MINUTE))
        assert ids(path) == [a_notice().id, a_notice(opened=START + MINUTE).id]
    path.write_bytes(whole[:30])
    file(path).write(a_notice())
    assert path.read_bytes() == whole
    assert path.stat().st_mode & 0o777 == 0o600


def test_files_are_set_aside_when_they_are_full_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = file(path, max_bytes=10_000, keep=2)
    notices = [a_notice(opened=START + k * MINUTE) for k in range(60)]
    for notice in notices:
        sink.write(notice)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["alerts.jsonl", "alerts.jsonl.1", "alerts.jsonl.2"]
    assert all(p.stat().st_size <= 10_000 for p in tmp_path.iterdir())
    kept = [name for suffix in (".2", ".1", "") for name in ids(tmp_path / f"alerts.jsonl{suffix}")]
    assert kept == [notice.id for notice in notices][-len(kept) :]
    before = path.read_bytes()
    file(path, max_bytes=10_000, keep=2).write(notices[-1])
    assert path.read_bytes() == before, "the next process knows what stands there"


def test_others_may_move_the_file_away(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = file(path)
    sink.write(a_notice())
    path.rename(tmp_path / "moved")
    sink.write(a_notice(opened=START + MINUTE))
    assert ids(path) == [a_notice(opened=START + MINUTE).id]
