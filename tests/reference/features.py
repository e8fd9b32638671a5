"""Features, slowly: all readings of a series in a dictionary by slot, every formula as it stands in the books."""

from __future__ import annotations

import itertools
import math
import statistics
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from watchband.features import calendar
from watchband.features.feature_set import FeatureSet

NAN = math.nan


class Reference:
    """One series; ``step`` gives the features of a point by name."""

    def __init__(self, features: FeatureSet) -> None:
        self.features = features
        self.interval = features.interval_ns or 0
        self.slots: dict[int, list[float]] = {}
        self.slot = self.moment = 0
        self.recent: list[tuple[int, list[float]]] = []
        self.since_learned = 0
        self.capacity = features.lookback + 2

    def step(self, time: int, values: list[float]) -> dict[str, float]:
        ranges = self.features.ranges or ((-math.inf, math.inf),) * len(values)
        row = [
            v if math.isfinite(v) and low <= v <= high else NAN for v, (low, high) in zip(values, ranges, strict=True)
        ]
        self._take(time, row)
        said: dict[str, float] = {}
        columns = self.features.columns
        for family in self.features.families:
            for size in family.sizes or (0,):
                if family.kind in ("temporal", "calendar"):
                    said |= moment(family.kind, time, self.features.timezone, self.features.holidays)
                elif family.kind in ("pairs", "together"):
                    said |= across(family.kind, columns, row)
                else:
                    for index, column in enumerate(columns):
                        said |= self._single(family.kind, column, index, size, row[index])
        return {name: v if math.isfinite(v) else NAN for name, v in said.items()}

    def _take(self, time: int, row: list[float]) -> None:
        if self.features.interval_ns is None:
            self.recent = [*self.recent, (time, row)][-8:]
            self.since_learned += 1
            steps = [b[0] - a[0] for a, b in itertools.pairwise(self.recent)]
            if self.since_learned >= 8 and self._other(median := sorted(steps)[3], steps):
                self.interval = median
                self.slots, self.since_learned = {}, 0
                for moment_, values in self.recent:
                    self._place(moment_, values)
                return
        if self.interval:
            self._place(time, row)

    def _other(self, median: int, steps: list[int]) -> bool:
        keep = all(abs(step - median) <= median // 4 for step in steps)
        return not self.interval or (keep and abs(median - self.interval) > self.interval // 4)

    def _place(self, time: int, row: list[float]) -> None:
        if not self.slots:
            self.slot, self.moment, self.first = 0, time, 0
        else:
            ahead = max(0, (time - self.moment + self.interval // 2) // self.interval)
            self.slot += ahead
            off = time - self.moment - ahead * self.interval
            self.moment += ahead * self.interval + int(off / 8)
            if ahead >= self.capacity:
                self.moment = time
        self.slots[self.slot] = row

    def _at(self, index: int, back: int) -> float:
        return self.slots.get(self.slot - back, {index: NAN})[index] if self.interval else NAN

    def _window(self, index: int, start: int, size: int) -> list[tuple[int, float]]:
        """Slots back and values, newest first; nothing where the window does not speak."""
        if not self.interval or not self.slots or self.slot + 1 < start + size:
            return []
        found = [(back, self._at(index, start + back)) for back in range(size)]
        known = [(back, v) for back, v in found if not math.isnan(v)]
        return known if len(known) >= max(2, math.ceil(self.features.share * size)) else []

    def _single(self, kind: str, column: str, index: int, size: int, value: float) -> dict[str, float]:
        p = "" if len(self.features.columns) == 1 else f"{column}_"

        def back(n: int) -> float:
            return self._at(index, n)

        if kind == "value":
            return {column: value}
        if kind == "held":
            seen = [back(n) for n in range(size) if not math.isnan(back(n))]
            return {column: seen[0] if seen else NAN if self.interval else value}
        if kind == "lags":
            return {f"{p}lag_{size}": back(size)}
        if kind == "differences":
            past = back(size)
            return {
                f"{p}lag_{size}": past,
                f"{p}diff_{size}": back(0) - past,
                f"{p}pct_change_{size}": back(0) / past - 1 if past else NAN,
            }
        window = self._window(index, int("trailing" in kind), size)
        values = [v for _, v in window]
        if kind.startswith("four"):
            return {
                column: value,
                f"{p}diff": back(0) - back(1),
                f"{p}roll_mean": shape(values)["mean"],
                f"{p}roll_std": shape(values)["std"],
            }
        if kind == "rates":
            return {
                f"{p}rate_{size}": (back(0) - back(size)) / size,
                f"{p}acceleration_{size}": (back(0) - 2 * back(size) + back(2 * size)) / size**2,
                f"{p}rolling_rate_{size}": slope(window),
            }
        if kind == "distribution":
            return {f"{p}{name}_{size}": v for name, v in place(values, value).items()}
        return {f"{p}{kind}_{name}_{size}": v for name, v in shape(values).items()}


def shape(values: list[float]) -> dict[str, float]:
    names = ("mean", "std", "min", "max", "median", "skew", "kurt")
    if not values:
        return dict.fromkeys(names, NAN)
    n, mean = len(values), statistics.fmean(values)
    m2, m3, m4 = (math.fsum((v - mean) ** k for v in values) / n for k in (2, 3, 4))
    flat = min(values) == max(values)
    return {
        "mean": mean,
        "std": statistics.stdev(values),
        "min": min(values),
        "max": max(values),
        "median": statistics.median(values),
        "skew": 0.0 if flat else m3 / m2**1.5,
        "kurt": 0.0 if flat else m4 / m2**2 - 3,
    }


def slope(window: list[tuple[int, float]]) -> float:
    if not window:
        return NAN
    return statistics.linear_regression([-back for back, _ in window], [v for _, v in window]).slope


def place(values: list[float], value: float) -> dict[str, float]:
    names = (
        *("q25", "q75", "iqr", "zscore", "dist_from_median", "cv", "is_outlier"),
        *("percentile", "dist_from_min", "dist_from_max"),
    )
    if not values:
        return dict.fromkeys(names, NAN)
    q25, median, q75 = statistics.quantiles(values, n=4, method="inclusive")
    mean, std = statistics.fmean(values), statistics.stdev(values)
    flat = min(values) == max(values)
    z = (0.0 if value == mean else NAN) if flat else (value - mean) / std
    known = not math.isnan(value)
    return {
        "q25": q25,
        "q75": q75,
        "iqr": q75 - q25,
        "zscore": z if known else NAN,
        "dist_from_median": value - median,
        "cv": std / abs(mean) if mean else NAN,
        "is_outlier": float(abs(z) > 2) if known and not math.isnan(z) else NAN,
        "percentile": statistics.fmean([(v < value) + 0.5 * (v == value) for v in values]) if known else NAN,
        "dist_from_min": value - min(values),
        "dist_from_max": max(values) - value,
    }


def across(kind: str, columns: tuple[str, ...], row: list[float]) -> dict[str, float]:
    said: dict[str, float] = {}
    if kind == "pairs":
        for (a, x), (b, y) in itertools.combinations(zip(columns, row, strict=True), 2):
            said |= {f"{a}_per_{b}": x / y if y else NAN, f"{a}_times_{b}": x * y, f"{a}_minus_{b}": x - y}
        return said
    if any(math.isnan(v) for v in row):
        row = [NAN] * len(row)
    total = sum(row)
    std = NAN if math.isnan(total) else statistics.stdev(row)
    if len(row) > 2:
        said["product_of_all"] = math.prod(row)
    return said | {
        "sum_of_all": total,
        "max_of_all": max(row),
        "min_of_all": min(row),
        "range_of_all": max(row) - min(row),
        "std_of_all": std,
        "cv_of_all": std / abs(total / len(row)) if total else NAN,
    }


def moment(kind: str, time: int, zone: str, country: str | None) -> dict[str, float]:
    seconds, rest = divmod(time, 10**9)
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone))
    day = (local.hour * 3600 + local.minute * 60 + local.second + rest / 1e9) / 86_400
    here = local.date()
    next_month = (here.replace(day=28) + timedelta(days=4)).replace(day=1)
    month = (next_month - here.replace(day=1)).days
    year = (date(here.year + 1, 1, 1) - date(here.year, 1, 1)).days
    cycles = {
        "hour": day,
        "day_of_week": (here.weekday() + day) / 7,
        "day_of_month": (here.day - 1 + day) / month,
        "year": (here.timetuple().tm_yday - 1 + day) / year,
    }
    waves = {f"{k}_{f.__name__}": f(2 * math.pi * share) for k, share in cycles.items() for f in (math.sin, math.cos)}
    if kind == "temporal":
        plain = {
            "hour": local.hour,
            "day_of_week": here.weekday(),
            "day_of_month": here.day,
            "is_weekend": here.weekday() >= 5,
            "is_business_hours": here.weekday() < 5 and 9 <= local.hour < 17,
        }
        return {k: float(v) for k, v in plain.items()} | {k: v for k, v in waves.items() if "year" not in k}
    days = set(calendar.holidays(country).tolist()) if country else set()
    plain = {
        "month": here.month,
        "quarter": (here.month + 2) // 3,
        "day_of_year": here.timetuple().tm_yday,
        "week": here.isocalendar().week,
        "is_month_start": here.day == 1,
        "is_month_end": here.day == month,
        "is_holiday": (here - date(1970, 1, 1)).days in days,
    }
    return {k: float(v) for k, v in plain.items()} | {k: v for k, v in waves.items() if "year" in k}
