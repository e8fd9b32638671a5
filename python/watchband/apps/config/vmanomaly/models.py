"""Models of vmanomaly as watches: which detector comes nearest, and how near that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchband.apps.config.vmanomaly.reader import POLICY, Query
from watchband.apps.config.vmanomaly.values import Note, as_list, as_mapping, neat, number

WINDOW_MAX = 10_000
_ONLINE = "_online"
_COMMON = {
    "class", "queries", "schedulers", "args", "provide_series", "detection_direction", "min_dev_from_expected",
    "min_rel_dev_from_expected", "groupby", "tz_aware", "tz_seasonalities", "tz_use_cyclical_encoding",
    "min_n_samples_seen", *POLICY,
}  # fmt: skip
_DIRECTIONS = {"both": "both", "above_expected": "above", "below_expected": "below"}
_CLASSES = {
    "prophetmodel": "prophet", "zscoremodel": "zscore", "onlinezscoremodel": "zscore_online", "madmodel": "mad",
    "onlinemadmodel": "mad_online", "holtwinters": "holtwinters", "rollingquantilemodel": "rolling_quantile",
    "onlinequantilemodel": "quantile_online", "stdmodel": "std", "isolationforestmodel": "isolation_forest",
    "isolationforestmultivariatemodel": "isolation_forest_multivariate", "autotunedmodel": "auto",
}  # fmt: skip
"""Class names of older files and their aliases."""


@dataclass
class Judged:
    """Keys of a watch, and what is to be said of them."""

    keys: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def approximated(self, said: str) -> None:
        """Remember that something only comes near."""
        self.notes.append(Note("approximated", said))

    def mapped(self, said: str) -> None:
        """Remember that something is the same."""
        self.notes.append(Note("mapped", said))

    def left_out(self, said: str) -> None:
        """Remember that something is not there."""
        self.notes.append(Note("left_out", said))


def judged(model: Mapping[str, Any], query: Query, window: float | None) -> Judged:
    """What judges the series of a query as a model would.

    Parameters
    ----------
    model : mapping
        Its section.
    query : Query
        One of its queries; the others say the same.
    window : float or None
        Seconds of the longest fit_window.
    """
    found = Judged()
    written = str(model.get("class", ""))
    name = written.rsplit(".", 1)[-1].lower()
    name = _CLASSES.get(name, name)
    points = min(WINDOW_MAX, max(2, round(window / query.step))) if window and query.step else 1440
    if name in _MODELS:
        _MODELS[name](found, model, points)
    else:
        found.keys["detector"] = "auto"
        found.left_out(f"a model of class {written!r} is not known here: 'auto' judges, one alert a week per series.")
    _policies(found, {**model, **query.policy})
    if query.range:
        found.keys["range"] = query.range
        found.mapped("'data_range' is the logical range: outside it is a finding, the band ends there.")
    if query.timezone != "UTC":
        found.keys["timezone"] = query.timezone
    for key in sorted(set(model) - _COMMON - found.used):
        found.left_out(f"'{key}' of the model.")
    args = as_mapping(model.get("args"))
    if unused := sorted(set(args) - found.used - {"random_state"}):
        found.left_out("'args' of the model: " + ", ".join(unused) + ".")
    return found


def _prophet(found: Judged, model: Mapping[str, Any], points: int) -> None:
    found.keys["detector"] = "auto"
    args = as_mapping(model.get("args"))
    found.used |= {"seasonalities", "country_holidays", "interval_width", "yearly_seasonality", "weekly_seasonality"}
    found.used |= {"daily_seasonality", "seasonality_mode", "changepoint_prior_scale"}
    country = args.get("country_holidays")
    if isinstance(country, str):
        found.keys["holidays"] = country
    share = number(args.get("interval_width"))
    found.approximated(
        "Prophet learns trend and seasons in one fit; 'auto' learns the hours and days of the metric as it goes, and "
        "adds members for patterns, levels and values never seen."
    )
    if share is not None and 0 < share < 1:
        found.approximated(
            f"interval_width {share:g} lets {100 * (1 - share):.2g} % of the points out of the band; here a budget of "
            "one alert a week says how wide it is. More: budget: 1/day."
        )


def _zscore(found: Judged, model: Mapping[str, Any], points: int) -> None:
    found.used |= {"z_threshold", "decay"}
    found.keys["detector"] = f"rolling_zscore:window={points}"
    found.keys["cutoff"] = _cutoff(model, "z_threshold")
    found.mapped("z_threshold is the cut-off, in standard deviations.")
    found.approximated(f"mean and deviation are of the last {points:,} points, not of the last fit.")


def _mad(found: Judged, model: Mapping[str, Any], points: int) -> None:
    found.used |= {"threshold", "compression", "decay"}
    found.keys["detector"] = f"rolling_median:window={points}"
    found.keys["cutoff"] = _cutoff(model, "threshold")
    found.approximated(
        f"median and MAD are those of the last {points:,} points, exactly; the cut-off counts in 1.4826 MAD, which is "
        "a standard deviation of normal noise."
    )


def _seasonal(found: Judged, model: Mapping[str, Any], points: int) -> None:
    found.used |= {"z_threshold", "frequency", "seasonality", "period", "seasonal_periods", "seasonal"}
    found.used |= {"initialization_method", "trend"}
    found.keys["detector"] = "seasonal_band"
    found.keys["cutoff"] = _cutoff(model, "z_threshold")
    found.approximated(
        "the seasons are hours and days of the week, learned as they come; the cut-off counts in usual distances from "
        "the value expected at this moment."
    )


def _rolling_quantile(found: Judged, model: Mapping[str, Any], points: int) -> None:
    found.used |= {"quantile", "window_steps"}
    width = number(model.get("window_steps")) or points
    found.keys["detector"] = f"rolling_median:window={min(WINDOW_MAX, max(2, round(width)))}"
    quantile = number(model.get("quantile"))
    share = 2 * (1 - quantile) if quantile is not None and 0.5 <= quantile < 1 else 0.1
    found.keys["contamination"] = neat(round(min(0.5, share), 6))
    found.approximated(
        f"the {100 * found.keys['contamination']:g} % strangest points are outside, by their distance from the median "
        "of the window. That opens many alerts: a budget, say 1/week, may be what you want."
    )


def _quantiles(found: Judged, model: Mapping[str, Any], points: int) -> None:
    found.used |= {
        "quantiles",
        "seasonal_interval",
        "seasonalities",
        "min_subseason",
        "use_transform",
        "global_smoothing",
    }
    found.used |= {"scale", "season_starts_from", "compression", "decay", "history_strength", "iqr_threshold"}
    found.keys["detector"] = "seasonal_band"
    known = [value for value in map(number, as_list(model.get("quantiles"))) if value is not None and 0 <= value <= 1]
    if len(known) >= 2 and 0 < (share := known[0] + 1 - known[-1]) <= 0.5:
        found.keys["contamination"] = neat(round(share, 6))
        found.mapped(f"the quantiles leave {100 * share:g} % of the points outside.")
    found.approximated("its seasons are hours and days of the week, whatever seasonal_interval says.")


def _forest(found: Judged, model: Mapping[str, Any], points: int) -> None:
    args = as_mapping(model.get("args"))
    found.used |= {"contamination", "n_estimators", "seasonal_features"}
    trees = number(args.get("n_estimators"))
    found.keys["detector"] = "random_cut_forest" + (f":trees={round(min(1000, max(1, trees)))}" if trees else "")
    share = number(model.get("contamination", args.get("contamination")))
    if share is not None and 0 < share <= 0.5:
        found.keys["contamination"] = neat(share)
        found.mapped("contamination is the share of points that are strange.")
    else:
        found.left_out("'contamination' decides by itself; here one alert a week per series.")
    found.approximated("a forest of random cuts over the last eight points stands for an isolation forest.")


def _multivariate(found: Judged, model: Mapping[str, Any], points: int) -> None:
    _forest(found, model, points)
    found.left_out("series are not judged together here, but each by itself.")


def _auto(found: Judged, model: Mapping[str, Any], points: int) -> None:
    found.used |= {"tuned_class_name", "optimization_params"}
    found.keys["detector"] = "auto"
    share = number(as_mapping(model.get("optimization_params")).get("anomaly_percentage"))
    found.approximated(
        "'auto' needs no tuning; 'watchband tune' looks for something better and says whether it found it."
        + (f" anomaly_percentage {share:g} is not aimed at: a budget of alerts is." if share is not None else "")
    )


_MODELS: Mapping[str, Callable[[Judged, Mapping[str, Any], int], None]] = {
    "prophet": _prophet,
    "zscore": _zscore,
    "zscore_online": _zscore,
    "mad": _mad,
    "mad_online": _mad,
    "holtwinters": _seasonal,
    "std": _seasonal,
    "rolling_quantile": _rolling_quantile,
    "quantile_online": _quantiles,
    "isolation_forest": _forest,
    "isolation_forest_multivariate": _multivariate,
    "auto": _auto,
}


def _cutoff(model: Mapping[str, Any], key: str) -> int | float:
    given = number(model.get(key))
    return neat(given if given is not None and given > 0 else 2.5)


def _policies(found: Judged, said: Mapping[str, Any]) -> None:
    direction = str(said.get("detection_direction", "both"))
    if direction in _DIRECTIONS and direction != "both":
        found.keys["direction"] = _DIRECTIONS[direction]
    elif direction not in _DIRECTIONS:
        found.left_out(f"detection_direction {direction!r}.")
    for key, name in (
        ("min_dev_from_expected", "min_deviation"),
        ("min_rel_dev_from_expected", "min_deviation_relative"),
    ):
        values = [value for value in map(number, as_list(said.get(key))) if value is not None and value > 0]
        if values:
            least = min(values)
            if name == "min_deviation_relative" and least > 1:
                least /= 100
                found.approximated(f"{key} is taken for percent.")
            found.keys[name] = neat(least)
            if len(set(values)) > 1:
                found.approximated(f"{key} differs above and below; the smaller one holds for both.")
    if "scale" in said and as_list(said["scale"]) not in ([1, 1], [1.0, 1.0], [1]):
        found.left_out("'scale': bands are as wide above as the metric varies above, and below as below.")
    if as_list(said.get("groupby")):
        found.left_out("'groupby': series are judged each by itself.")
    if seen := number(said.get("min_n_samples_seen")):
        found.approximated(f"min_n_samples_seen {neat(seen)}: while little was seen, an alert needs a wider margin.")
    if as_list(said.get("provide_series")) and "anomaly_score" not in as_list(said.get("provide_series")):
        found.left_out("'provide_series'.")
