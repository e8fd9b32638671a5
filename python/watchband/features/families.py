"""Families of features as data: what each is called, by which formula, in which unit, and how far it looks back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from watchband.core.errors import ConfigError, InvalidParameterError, UnknownNameError

SIZE_MAX = 10_000
"""Slots of the longest window or lag."""
SIZES_MAX = 64
FEATURES_MAX = 20_000
Scope = Literal["column", "pair", "all", "moment"]


@dataclass(frozen=True, slots=True)
class Op:
    """One feature as the kernel reads it: what, column, second column or start of the window, slots."""

    name: str
    code: int
    a: int = 0
    b: int = 0
    n: int = 1
    lookback: int = 0


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a family.

    Parameters
    ----------
    name : str
        Its name: ``{p}`` is the column and ``_`` (nothing where a set has one column), ``{c}`` the column, ``{d}`` the
        second one, ``{n}`` the size.
    formula, unit : str
        For people.
    code : int
        What the kernel calls it.
    start : int, default 0
        Slots before the newest at which its window begins.
    back : int, default 0
        Slots that it looks back, in sizes; 0: only at the point.
    n : int, default 0
        Its size where that is fixed; 0: the family's.
    """

    name: str
    formula: str
    unit: str
    code: int
    start: int = 0
    back: int = 0
    n: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """A family that sets are made of.

    Parameters
    ----------
    scope : {"column", "pair", "all", "moment"}
        Its features come for every column, every two, once for all of them together, or once for the moment.
    sizes : tuple of int
        Default windows or lags, in slots; empty where it takes none.
    features : tuple of Feature
        In order.
    what : str
        A line for people.
    """

    scope: Scope
    sizes: tuple[int, ...]
    features: tuple[Feature, ...]
    what: str


def _rolling(word: str, start: int) -> tuple[Feature, ...]:
    window = "the last n slots" if not start else "the n slots before the present one"
    told = (
        ("mean", f"Σx / k over the k known values of {window}", "x", 10),
        ("std", "√(Σ(x − mean)² / (k − 1))", "x", 11),
        ("min", "least known value", "x", 12),
        ("max", "greatest known value", "x", 13),
        ("median", "quantile 0.5, between two neighbours in proportion", "x", 14),
        ("skew", "m₃ / m₂^1.5, population form; 0 where all values are equal", "1", 15),
        ("kurt", "m₄ / m₂² − 3, population form; 0 where all are equal (n = 3 gives −1.5 always)", "1", 16),
    )
    return tuple(Feature(f"{{p}}{word}_{a}_{{n}}", b, c, code, start=start, back=1) for a, b, c, code in told)


def _four(word: str, start: int) -> tuple[Feature, ...]:
    where = "the present value counted in" if not start else "the present value left out"
    return (
        Feature("{c}", "the reading", "x", 0),
        Feature("{p}diff", "x(t) − x(t − 1)", "x", 2, back=1, n=1),
        Feature(f"{{p}}{word}_mean", f"mean of n slots, {where}", "x", 10, start=start, back=1),
        Feature(f"{{p}}{word}_std", f"standard deviation of the same, ddof 1, {where}", "x", 11, start=start, back=1),
    )


_MOMENT = (
    ("hour", "local hour, 0 to 23", "h", 50),
    ("day_of_week", "0 Monday to 6 Sunday", "d", 51),
    ("day_of_month", "1 to 31", "d", 52),
    ("is_weekend", "1 on Saturday and Sunday", "1", 53),
    ("is_business_hours", "1 from 9:00 to 17:00, Monday to Friday", "1", 54),
    ("hour_sin", "sin 2π (share of the day that is over)", "1", 55),
    ("hour_cos", "cos of the same", "1", 56),
    ("day_of_week_sin", "sin 2π (share of the week that is over)", "1", 57),
    ("day_of_week_cos", "cos of the same", "1", 58),
    ("day_of_month_sin", "sin 2π (share of the month, at its own length, that is over)", "1", 59),
    ("day_of_month_cos", "cos of the same", "1", 60),
)
_CALENDAR = (
    ("month", "1 to 12", "month", 61),
    ("quarter", "1 to 4", "quarter", 62),
    ("day_of_year", "1 to 366", "d", 63),
    ("week", "ISO 8601 week, 1 to 53", "week", 64),
    ("is_month_start", "1 on the first day of the month", "1", 65),
    ("is_month_end", "1 on the last day of the month", "1", 66),
    ("is_holiday", "1 on a public holiday of the country that is given", "1", 67),
    ("year_sin", "sin 2π (share of the year that is over)", "1", 68),
    ("year_cos", "cos of the same", "1", 69),
)
_SPREAD = (
    ("product_of_all", "Π x", "x^columns", 33),
    ("sum_of_all", "Σ x", "x", 34),
    ("max_of_all", "greatest", "x", 35),
    ("min_of_all", "least", "x", 36),
    ("range_of_all", "max − min", "x", 37),
    ("std_of_all", "standard deviation over the columns, ddof 1", "x", 38),
    ("cv_of_all", "standard deviation / |mean|", "1", 39),
)
_DISTRIBUTION = (
    ("q25", "quantile 0.25 of the last n slots", "x", 18),
    ("q75", "quantile 0.75", "x", 19),
    ("iqr", "q75 − q25", "x", 20),
    ("zscore", "(x − mean) / std; 0 where all values are equal", "1", 21),
    ("dist_from_median", "x − median", "x", 22),
    ("cv", "std / |mean|", "1", 23),
    ("is_outlier", "1 where |zscore| > 2", "1", 24),
    ("percentile", "share of the values below x, equal ones counted half", "1", 25),
    ("dist_from_min", "x − min", "x", 26),
    ("dist_from_max", "max − x", "x", 27),
)

KINDS: dict[str, Kind] = {
    "value": Kind("column", (), (Feature("{c}", "x(t), the reading", "x", 0),), "the reading itself"),
    "held": Kind(
        "column", (3,), (Feature("{c}", "the newest reading of the last n slots", "x", 6, back=1),), "the last reading"
    ),
    "four": Kind("column", (12,), _four("roll", 0), "value, difference, rolling mean and deviation"),
    "four_trailing": Kind("column", (12,), _four("roll", 1), "the same, over the past only"),
    "lags": Kind(
        "column",
        tuple(range(1, 25)),
        (Feature("{p}lag_{n}", "x(t − n)", "x", 1, back=1),),
        "readings of the past",
    ),
    "differences": Kind(
        "column",
        (1, 2, 3, 6, 12, 24, 48),
        (
            Feature("{p}lag_{n}", "x(t − n)", "x", 1, back=1),
            Feature("{p}diff_{n}", "x(t) − x(t − n)", "x", 2, back=1),
            Feature("{p}pct_change_{n}", "x(t) / x(t − n) − 1", "1", 3, back=1),
        ),
        "lags, differences and relative changes",
    ),
    "rates": Kind(
        "column",
        (3, 6, 12, 24, 48),
        (
            Feature("{p}rate_{n}", "(x(t) − x(t − n)) / n", "x a slot", 4, back=1),
            Feature("{p}acceleration_{n}", "(x(t) − 2 x(t − n) + x(t − 2n)) / n²", "x a slot²", 5, back=2),
            Feature("{p}rolling_rate_{n}", "least-squares slope over the last n slots", "x a slot", 17, back=1),
        ),
        "rates, accelerations and slopes",
    ),
    "rolling": Kind("column", (3, 6, 12, 24, 48, 96), _rolling("rolling", 0), "windows with the present value"),
    "trailing": Kind("column", (3, 6, 12, 24, 48, 96), _rolling("trailing", 1), "windows of the past only"),
    "distribution": Kind(
        "column",
        (24,),
        tuple(Feature(f"{{p}}{a}_{{n}}", b, c, code, back=1) for a, b, c, code in _DISTRIBUTION),
        "where the value stands among the last ones",
    ),
    "pairs": Kind(
        "pair",
        (),
        (
            Feature("{c}_per_{d}", "x / y", "x / y", 30),
            Feature("{c}_times_{d}", "x y", "x y", 31),
            Feature("{c}_minus_{d}", "x − y", "x", 32),
        ),
        "ratio, product and difference of every two columns",
    ),
    "together": Kind("all", (), tuple(Feature(*row) for row in _SPREAD), "all columns at one moment"),
    "temporal": Kind("moment", (), tuple(Feature(*row) for row in _MOMENT), "day, week and month, plain and cyclic"),
    "calendar": Kind("moment", (), tuple(Feature(*row) for row in _CALENDAR), "year, holidays, ends of months"),
}


@dataclass(frozen=True, slots=True)
class Family:
    """A family of features with its sizes, as sets are made of them.

    Parameters
    ----------
    kind : str
        A name in ``KINDS``.
    sizes : tuple of int, optional
        Windows or lags in slots; the family's defaults if none.

    Raises
    ------
    UnknownNameError, InvalidParameterError
        No such family; sizes that it does not take.

    Examples
    --------
    >>> Family("lags", (1, 2)).sizes
    (1, 2)
    """

    kind: str
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("family of features", self.kind, KINDS)
        kind = KINDS[self.kind]
        object.__setattr__(self, "sizes", tuple(self.sizes) or kind.sizes)
        if self.sizes and not kind.sizes:
            raise InvalidParameterError(f"The family {self.kind!r} takes no sizes. Got {list(self.sizes)}.")
        least = 2 if any(f.code >= 10 for f in kind.features) else 1
        whole = all(isinstance(n, int) and not isinstance(n, bool) and least <= n <= SIZE_MAX for n in self.sizes)
        if not whole or len(set(self.sizes)) != len(self.sizes) or len(self.sizes) > SIZES_MAX:
            raise InvalidParameterError(
                f"The sizes of family {self.kind!r} are up to {SIZES_MAX} different whole numbers of slots from "
                f"{least} to {SIZE_MAX}. Got {list(self.sizes)[:SIZES_MAX]}."
            )

    def ops(self, columns: tuple[str, ...]) -> Iterator[Op]:
        """Its features for these columns, in order."""
        kind = KINDS[self.kind]
        alone = len(columns) == 1
        if kind.scope in ("pair", "all") and alone:
            raise ConfigError(f"The family {self.kind!r} compares columns and needs two at least. Got {columns[0]!r}.")
        if kind.scope == "pair":
            for feature in kind.features:
                for a, b in itertools.combinations(range(len(columns)), 2):
                    yield Op(feature.name.format(c=columns[a], d=columns[b]), feature.code, a, b)
            return
        if kind.scope != "column":
            for feature in kind.features:
                # Of two columns the product is that of the pair.
                if feature.code != 33 or len(columns) > 2:
                    yield Op(feature.name, feature.code)
            return
        for index, column in enumerate(columns):
            prefix = "" if alone else f"{column}_"
            for size in self.sizes or (1,):
                for feature in kind.features:
                    n = feature.n or size
                    name = feature.name.format(p=prefix, c=column, n=n)
                    yield Op(name, feature.code, index, feature.start, n, feature.back * n + feature.start)

    def document(self) -> dict[str, Any]:
        """As it stands in a schema."""
        return {"kind": self.kind, "sizes": list(self.sizes)}
