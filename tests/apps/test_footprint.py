"""Footprint: a fleet that does not fit is told so before its memory is taken."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import psutil
import pytest

import watchband as wb
from watchband.apps.library.footprint import bytes_per_series, check_fits
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.detectors import RollingZscore
from watchband.pipeline.presets import Auto
from watchband.pipeline.watch import Watch


def test_what_a_series_takes_is_what_its_states_hold() -> None:
    watch = Watch("m", RollingZscore())
    state = watch.start([SeriesKey(f"m{i}") for i in range(10)])
    assert state.nbytes == 10 * bytes_per_series(watch)


def test_a_fleet_that_does_not_fit_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch("m", Auto())
    each = bytes_per_series(watch)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000 * each))
    check_fits(watch, 0, 800)
    check_fits(watch, 300, 100)
    with pytest.raises(ConfigError, match=r"'auto' keeps .*: 801 series need .* are free\. Choose a smaller detector"):
        check_fits(watch, 0, 801)
    with pytest.raises(ConfigError, match="1,200 series"):
        check_fits(watch, 600, 600)


def test_detect_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(ConfigError, match="a series: 1 series need"):
        wb.detect((np.arange(50), np.arange(50.0)))
