"""The dead man's switch: a sign of life while all is well, and only then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adapters.listener import Listener, Says
from watchband.adapters.sinks.deadman import NAME, Deadman, DeadmanSettings
from watchband.core.clock import SystemClock
from watchband.core.errors import ConfigError, TransientError
from watchband.core.ports import Standing, Tending
from watchband.core.secret import Secret
from watchband.testing.contracts.sink import a_notice


def opened(**settings: Any) -> Deadman:
    return DeadmanSettings(allow_private=True, **settings).open("alive", clock=SystemClock())


def test_it_calls_the_address_while_all_is_well() -> None:
    with Listener(Says()) as there:
        sink = opened(url=Secret(f"{there.url}/ping/0f1e-uuid"), every=30 * 10**9)
        assert isinstance(sink, Tending)
        assert sink.every_s == 30
        sink.write(a_notice())
        assert not there.asked, "alerts are told elsewhere"
        sink.tend(Standing())
        sink.tend(Standing([a_notice()], undelivered=899.0))
        sink.close()
    assert [(a.method, a.path) for a in there.asked] == [("POST", "/ping/0f1e-uuid")] * 2


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (Standing(trouble="the engine has ended"), "the engine has ended"),
        (Standing(undelivered=901.0), "taken nothing for 901 s"),
    ],
)
def test_it_falls_silent_when_nobody_would_be_told(standing: Standing, why: str) -> None:
    with Listener(Says()) as there:
        sink = opened(url=Secret(there.url))
        with pytest.raises(TransientError, match=f"No sign of life: .*{why}"):
            sink.tend(standing)
        sink.close()
    assert not there.asked


def test_the_address_is_a_secret() -> None:
    with Listener(Says(500, b"no")) as there:
        sink = opened(url=Secret(f"{there.url}/ping/0f1e-uuid"))
        with pytest.raises(TransientError) as caught:
            sink.tend(Standing())
        sink.close()
    assert "0f1e" not in str(caught.value)


def test_as_an_alert_it_ends_soon_after_it_is_no_longer_repeated() -> None:
    with Listener(Says()) as there:
        sink = opened(alertmanager=there.url, labels={"team": "o11y"}, every=20 * 10**9)
        sink.tend(Standing())
        sink.close()
    (alert,) = json.loads(there.asked[0].body)
    assert alert["labels"] == {"alertname": NAME, "severity": "none", "team": "o11y"}
    assert alert["endsAt"] > alert["startsAt"]


def test_it_needs_one_address() -> None:
    for given in ({}, {"url": Secret("http://a.test"), "alertmanager": "http://b.test"}):
        with pytest.raises(ConfigError, match="either 'url' or 'alertmanager'"):
            opened(**given)
