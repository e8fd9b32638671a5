"""Alerts: identity, severity, and which change of one is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchband.core.alert import Alert, alert_id, is_news, severity_of
from watchband.core.series import SeriesKey

KEY = SeriesKey.parse('cpu{host="web-1"}')
NAN = float("nan")
ALERT = Alert(
    id=alert_id(KEY, "detect", 60),
    series=KEY,
    watch="detect",
    detector="ewma",
    kind="value",
    severity="info",
    opened=60,
    decided=120,
    closed=None,
    peak_time=60,
    value=9.0,
    expected=5.0,
    lower=NAN,
    upper=7.0,
    widths=NAN,
    direction="above",
    anomaly_score=1.2,
    confidence=0.5,
    points=2,
    reason="cpu was 9.",
    policies=("2 consecutive points",),
)


@pytest.mark.parametrize(
    ("score", "severity"), [(1.01, "info"), (1.49, "info"), (1.5, "warning"), (2.99, "warning"), (3.0, "critical")]
)
def test_severity_follows_the_peak(score: float, severity: str) -> None:
    assert severity_of(score) == severity


def test_identity_is_of_series_watch_and_opening() -> None:
    assert alert_id(KEY, "detect", 60) == ALERT.id
    assert len(ALERT.id) == 16
    others = {alert_id(KEY, "detect", 61), alert_id(KEY, "demo", 60), alert_id(SeriesKey.parse("cpu"), "detect", 60)}
    assert len(others | {ALERT.id}) == 4


@pytest.mark.parametrize("change", [{"closed": 300}, {"severity": "critical"}, {"kind": "level"}, {"adopted": True}])
def test_a_change_that_matters_is_told(change: dict[str, object]) -> None:
    assert is_news(ALERT, replace(ALERT, **change))  # type: ignore[arg-type]


def test_more_points_alone_are_not_told() -> None:
    assert is_news(None, ALERT)
    assert not is_news(ALERT, replace(ALERT, points=9, anomaly_score=1.4, reason="cpu was 9.5."))


def test_plain_data_round_trips() -> None:
    data = ALERT.to_dict()
    assert data["lower"] is None
    assert data["series"] == 'cpu{host="web-1"}'
    assert str(Alert.from_dict(data)) == str(ALERT)
