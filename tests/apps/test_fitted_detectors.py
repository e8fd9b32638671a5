"""Fitted detectors where people use them: the command line, and a service that is restarted in between."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.apps.service.test_service import running, until
from tests.apps.service.worlds import HandClock, KeptStore, ListSinkSettings, config, watch
from tests.apps.test_cli import run
from watchband.adapters.sources.push.settings import PushSettings
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.detectors.fitted.cache import MODELS
from watchband.testing.streams import MINUTE, START

NAMES = ("isolation_forest", "one_class_svm", "local_outlier_factor", "pca_reconstruction")


def values(n: int = 900) -> np.ndarray:
    found = 50 + 10 * np.sin(np.arange(n) / 20) + np.random.default_rng(1).normal(0, 1, n)
    found[800:806] += 60
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_finds_and_explains(name: str, tmp_path: Path) -> None:
    file = tmp_path / "cpu.csv"
    stamps = np.datetime_as_string(np.datetime64("2024-01-01T00:00:00") + 60 * np.arange(900).astype("m8[s]"))
    rows = (f"{stamp},{value}" for stamp, value in zip(stamps, values().tolist(), strict=True))
    file.write_text("timestamp,cpu\n" + "\n".join(rows) + "\n")
    # Its score is bounded: fifteen hours teach too little of its tail to be sure by a budget.
    rule = ["--cutoff", "0.68"] if name == "isolation_forest" else []
    result = run("detect", file, "--detector", f"{name}:window=500", "--json", *rule)
    assert result.exit_code in (0, 1), result.output
    alerts = json.loads(result.stdout)["alerts"]
    found = [a for a in alerts if "2024-01-01T13:20" <= a["opened"] <= "2024-01-01T13:26"]
    assert found, alerts
    assert "What made it strange" in found[0]["reason"]
    assert len(alerts) < 4


def test_a_service_goes_on_after_a_restart_with_the_same_model() -> None:
    chat, one = ListSinkSettings(), SeriesKey("cpu")
    times = START + np.arange(900) * MINUTE
    watches = {"all": watch(detector="isolation_forest:window=500", cutoff=0.68)}
    settings = config({"push": PushSettings(history=None)}, sinks={"chat": chat}, watches=watches, store=KeptStore())
    with running(settings, HandClock(START + 700 * MINUTE)) as service:
        service.offer("push", [Readings(one, times[:700], values()[:700])]).result(20)
        assert MODELS.told()["bytes"] > 0
    MODELS.clear()
    with running(settings, HandClock(START + 900 * MINUTE)) as service:
        service.offer("push", [Readings(one, times[700:], values()[700:])]).result(20)
        until(lambda: chat.notices)
        alert = [a for a in service.store.alerts() if a.opened == START + 800 * MINUTE]
    assert len(alert) == 1
    assert dict(alert[0].features).keys() <= {"value", "diff", "roll_mean", "roll_std"}
    assert alert[0].features
    assert "What made it strange" in chat.notices[-1].alert.reason
