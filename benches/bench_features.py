"""Features: our sets beside the same columns made with pandas and polars, batch by batch and point by point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benches.timing import Case
from watchband.core.duration import MINUTE
from watchband.core.points import Float64, Int64, Points
from watchband.features.feature_set import FeatureSet
from watchband.features.sets import RATIOS

STEP = 5 * MINUTE
WINDOWS, LAGS, RATES = (3, 6, 12, 24, 48, 96), (1, 2, 3, 6, 12, 24, 48), (3, 6, 12, 24, 48)
STATS = ("mean", "std", "min", "max", "median", "skew", "kurt")


def cases(points: int, peers: bool) -> list[Case]:
    """Three sets over one long series, and a stream of single points."""
    found: list[Case] = []
    for name, columns, per_point in (("value4", 1, 20), ("lags24", 1, 20), ("metric", 1, 100), ("ratios294", 3, 200)):
        n = max(points // per_point, 500)
        times, values = series(n, columns)
        group = f"{name}, {n:,} points"
        features = FeatureSet.named(name, interval_ns=STEP)
        found.append(Case(group, "watchband", ours(features, times, values), n, features.state_bytes_max))
        for who, work in (("pandas", with_pandas), ("polars", with_polars)):
            if peers and (who == "pandas" or name in ("value4", "lags24")):
                found.append(Case(group, who, work(name, times, values), n, note=NOTES.get((who, name), "")))
    n = max(points // 1000, 100)
    times, values = series(n, 1)
    for name in ("value4", "metric"):
        features = FeatureSet.named(name, interval_ns=STEP)
        one = one_by_one(features, times, values)
        found.append(Case("one point a call", f"watchband, {name}", one, n, features.state_bytes_max))
    return found


NOTES = {(who, name): "rolling rate by difference" for who in ("pandas",) for name in ("metric", "ratios294")}


def series(n: int, columns: int) -> tuple[Int64, Float64]:
    """Ratios around 0.6 with a day in them."""
    rng = np.random.default_rng(1)
    day = 0.1 * np.sin(2 * np.pi * np.arange(n) / 288)
    return STEP * np.arange(n, dtype=np.int64), 0.6 + day[:, None] + rng.normal(0, 0.02, (n, columns))


def ours(features: FeatureSet, times: Int64, values: Float64) -> Callable[[], Float64]:
    """One thread, a fresh state."""
    points = Points.of(times, values)
    return lambda: features.step(features.start(), points, threads=1)


def one_by_one(features: FeatureSet, times: Int64, values: Float64) -> Callable[[], None]:
    """As a service would that commits after every point."""
    given = [Points.of([time], [value]) for time, value in zip(times.tolist(), values.tolist(), strict=True)]

    def work() -> None:
        state = features.start()
        for point in given:
            features.step(state, point)

    return work


def with_pandas(name: str, times: Int64, values: Float64) -> Callable[[], Any]:
    """As notebooks write it: shifted and rolling columns of a frame; rows stand for time, since none is missing."""
    import pandas as pd

    columns = RATIOS if values.shape[1] == 3 else ("value",)
    frame = pd.DataFrame(values, columns=list(columns), index=pd.to_datetime(times, utc=True))
    return lambda: pandas_columns(frame, name)


def pandas_columns(frame: Any, name: str) -> Any:
    """The columns of a set."""
    import pandas as pd

    made: dict[str, Any] = {}
    if name == "value4":
        x = frame["value"]
        window = x.rolling(12)
        return pd.DataFrame({"value": x, "diff": x.diff(), "mean": window.mean(), "std": window.std()})
    if name == "lags24":
        return pd.DataFrame({f"lag_{n}": frame["value"].shift(n) for n in range(1, 25)})
    made.update(_moment(frame.index))
    for column in frame.columns:
        made.update(_single(column, frame[column]))
    if len(frame.columns) == 3:
        made.update(_together(frame))
    return pd.DataFrame(made)


def _moment(index: Any) -> dict[str, Any]:
    day = (index.hour * 60 + index.minute).to_numpy() / 1440
    made: dict[str, Any] = {
        "hour": index.hour, "day_of_week": index.dayofweek, "day_of_month": index.day,
        "weekend": index.dayofweek >= 5, "business": (index.dayofweek < 5) & (index.hour >= 9) & (index.hour < 17),
    }  # fmt: skip
    for cycle, share in (("hour", day), ("week", (index.dayofweek + day) / 7), ("month", (index.day - 1 + day) / 31)):
        made |= {f"{cycle}_sin": np.sin(2 * np.pi * share), f"{cycle}_cos": np.cos(2 * np.pi * share)}
    return made


def _single(c: str, x: Any) -> dict[str, Any]:
    made: dict[str, Any] = {c: x}
    for n in WINDOWS:
        window = x.rolling(n)
        for stat in STATS:
            made[f"{c}_{stat}_{n}"] = getattr(window, stat)()
    for n in LAGS:
        past = x.shift(n)
        made |= {f"{c}_lag_{n}": past, f"{c}_diff_{n}": x - past, f"{c}_change_{n}": x / past - 1}
    for n in RATES:
        rate = (x - x.shift(n)) / n
        made |= {f"{c}_rate_{n}": rate, f"{c}_acceleration_{n}": (rate - rate.shift(n)) / n}
        made[f"{c}_rolling_rate_{n}"] = x.diff().rolling(n).mean()
    window = x.rolling(24)
    low, high, mean, std = window.quantile(0.25), window.quantile(0.75), window.mean(), window.std()
    z = (x - mean) / std
    return made | {
        f"{c}_q25": low, f"{c}_q75": high, f"{c}_iqr": high - low, f"{c}_z": z, f"{c}_outlier": z.abs() > 2,
        f"{c}_from_median": x - window.median(), f"{c}_cv": std / mean.abs(), f"{c}_rank": window.rank(pct=True),
        f"{c}_from_min": x - window.min(), f"{c}_from_max": window.max() - x,
    }  # fmt: skip


def _together(frame: Any) -> dict[str, Any]:
    a, b, c = (frame[name] for name in frame.columns)
    made = {}
    for name, x, y in (("ab", a, b), ("ac", a, c), ("bc", b, c)):
        made |= {f"{name}_ratio": x / y, f"{name}_product": x * y, f"{name}_minus": x - y}
    std, total = frame.std(axis=1), a + b + c
    return made | {
        "product": a * b * c, "sum": total, "max": frame.max(axis=1), "min": frame.min(axis=1),
        "range": frame.max(axis=1) - frame.min(axis=1), "std": std, "cv": std / (total / 3),
    }  # fmt: skip


def with_polars(name: str, times: Int64, values: Float64) -> Callable[[], Any]:
    """The same as expressions, on one thread as far as polars keeps to it."""
    import polars as pl

    frame = pl.DataFrame({"value": values[:, 0]})
    x = pl.col("value")
    if name == "lags24":
        asked = [x.shift(n).alias(f"lag_{n}") for n in range(1, 25)]
    else:
        asked = [x, x.diff().alias("diff"), x.rolling_mean(12).alias("mean"), x.rolling_std(12).alias("std")]
    return lambda: frame.select(asked)
