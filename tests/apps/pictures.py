"""Made-up series with a band, anomalies and alerts, for the tests of what is drawn."""

from __future__ import annotations

import dataclasses

import numpy as np

from watchband.apps.library.view import DetectionView, SeriesView
from watchband.core.alert import Alert, alert_id, severity_of
from watchband.core.series import SeriesKey

MINUTE = 60_000_000_000
START = 1_700_000_000_000_000_000


def series_view(
    name: str = "cpu", n: int = 2000, *, alerts: int = 2, unit: str = "%", seed: int = 0, **labels: str
) -> SeriesView:
    """A daily wave with noise; ``alerts`` bursts of eight points leave the band; one gap of 40 points."""
    rng = np.random.default_rng(seed)
    times = START + np.arange(n, dtype=np.int64) * 5 * MINUTE
    yhat = 40 + 12 * np.sin(np.arange(n) * 2 * np.pi / 288)
    y = yhat + rng.normal(0, 1.5, n)
    for k in range(alerts):
        at = (k + 1) * n // (alerts + 1)
        y[at : at + 8] += 20 if k % 2 == 0 else -25
    gap = slice(n // 7, n // 7 + 40)
    y[gap] = np.nan
    score = np.abs(y - yhat) / 6
    view = SeriesView(SeriesKey(name, labels), unit, times, y, yhat, yhat - 6, yhat + 6, score, np.zeros(n, np.bool_))
    starts = np.flatnonzero(np.diff(view.anomalous.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(view.anomalous.astype(int), append=0) == -1)
    view.alerts = [alert_of(view, int(a), int(b)) for a, b in zip(starts, ends, strict=True)]
    quality = {"rows": n, "nan": 40, "duplicates": 0, "out_of_order": 3, "interval_ns": 5 * MINUTE}
    return dataclasses.replace(view, quality={**quality, "minimum": float(np.nanmin(y)), "maximum": 65.0})


def alert_of(view: SeriesView, first: int, last: int) -> Alert:
    """The alert of one run of anomalous points."""
    peak = first + int(np.argmax(view.anomaly_score[first : last + 1]))
    value, low, high = float(view.y[peak]), float(view.yhat_lower[peak]), float(view.yhat_upper[peak])
    score, opened = float(view.anomaly_score[peak]), int(view.times[first])
    return Alert(
        id=alert_id(view.key, "detect", opened),
        series=view.key,
        watch="detect",
        detector="rolling_zscore",
        kind="value",
        severity=severity_of(score),
        opened=opened,
        decided=opened,
        closed=int(view.times[last]),
        peak_time=int(view.times[peak]),
        value=value,
        expected=float(view.yhat[peak]),
        lower=low,
        upper=high,
        widths=max(value - high, low - value) / (high - low),
        direction="above" if value > high else "below",
        anomaly_score=score,
        confidence=1.0,
        points=last - first + 1,
        reason=f"{view.key.metric} is {value:.1f} %; expected {low:.1f}–{high:.1f} %.",
    )


def detection_view(*views: SeriesView, title: str = "made up") -> DetectionView:
    """A detection over the given series."""
    return DetectionView(
        list(views),
        [a for v in views for a in v.alerts],
        detector="rolling_zscore:window=288",
        rule="budget:1/week",
        created_ns=START,
        title=title,
        timezone="Europe/Dublin",
        settings={"direction": "both"},
        command="watchband detect made-up.csv --out result",
        version="0.1.0",
    )
