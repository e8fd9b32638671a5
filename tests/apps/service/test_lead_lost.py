"""The lead is lost while a process starts: it stands by, and does not end."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.apps.service.test_service import running
from tests.apps.service.worlds import HandClock, config
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.service.service import Service
from watchband.core.errors import FencedError
from watchband.pipeline.runner import Runner


def test_who_loses_the_lead_while_it_restores_stands_by_and_restores_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, began, restore, lead = [], [], Runner._restore, MemoryStore.lead

    def slow(runner: Runner) -> Any:
        began.append(threading.current_thread())
        if len(began) == 1:
            raise FencedError("Another process leads.")
        return restore(runner)

    def leads(store: MemoryStore, timeout: float = 0.0) -> bool:
        asked.append(timeout)
        return len(asked) != 2 and lead(store, timeout)

    monkeypatch.setattr(Runner, "_restore", slow)
    monkeypatch.setattr(MemoryStore, "lead", leads)
    with running(config()) as service:
        assert (service.phase, len(began), len(asked)) == ("running", 2, 3)
    asked.clear()
    began.clear()
    service = Service(config(), clock=HandClock())
    service.start(lambda: len(asked) == 2)
    assert (service.phase, len(began)) == ("stopped", 1)


def test_only_the_engine_restores_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, restored, by = Service._restored, Runner._restore, []

    def fenced(service: Service) -> None:
        begin(service)
        service.runner.drop()  # As the engine's thread does that hears of another process.

    def noted(runner: Runner) -> Any:
        by.append(threading.current_thread().name)
        return restored(runner)

    monkeypatch.setattr(Service, "_restored", fenced)
    monkeypatch.setattr(Runner, "_restore", noted)
    service = Service(config(), clock=HandClock())
    service.start()
    assert by.count(threading.current_thread().name) == 1
    service.stop(10)
