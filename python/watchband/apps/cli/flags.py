"""The flags that ``detect`` and ``explain`` share, declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from watchband.pipeline import DEFAULT_DETECTOR

INPUT, JUDGE, ALERTS, TIME, OUTPUT = "Input", "Detector and rule", "Alerts", "Time and gaps", "Output"


@dataclass(frozen=True)
class Flag:
    """One flag: parameter name, type, default, help, panel, and how its value is called."""

    name: str
    kind: Any
    default: Any
    help: str
    panel: str
    metavar: str | None = None

    def parameter(self) -> inspect.Parameter:
        """The flag as a parameter that typer reads."""
        spelled = f"--{self.name.replace('_', '-')}"
        option = typer.Option(spelled, help=self.help, rich_help_panel=self.panel, metavar=self.metavar)
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=self.default,
            annotation=_annotated(self.kind, option),
        )


def _annotated(kind: Any, option: Any) -> Any:
    return Annotated[kind, option]


OPTIONS = (
    Flag("detector", str, DEFAULT_DETECTOR, "What judges; see 'watchband detectors'.", JUDGE, "NAME[:KEY=VALUE,…]"),
    Flag("budget", str | None, None, "Alerts you can take, per series. The default rule: 1/week.", JUDGE, "N/PERIOD"),
    Flag("cutoff", float | None, None, "Instead: anomalous where the score is above this.", JUDGE, "X"),
    Flag("sigma", str | None, None, "Instead: score above mean + K deviations of past scores.", JUDGE, "K"),
    Flag("contamination", float | None, None, "Instead: the strangest share of points, 0 to 0.5.", JUDGE, "SHARE"),
    Flag("width", float | None, None, "Instead: band of K scale units around the expected value.", JUDGE, "K"),
    Flag("direction", str, "both", "Side that matters: both, above or below.", ALERTS, "SIDE"),
    Flag(
        "range",
        str | None,
        None,
        "Logical range of the metric, 0:100 or 0:; outside it is a finding.",
        ALERTS,
        "LOW:HIGH",
    ),
    Flag("min_deviation", float, 0.0, "Ignore points nearer to the expected value than this.", ALERTS, "X"),
    Flag("min_deviation_relative", float, 0.0, "The same as a share of the expected value.", ALERTS, "SHARE"),
    Flag("min_count", float | None, None, "Do not judge while value and expected value are below this.", ALERTS, "X"),
    Flag("consecutive", int, 1, "Points in a row that open an alert.", ALERTS, "N"),
    Flag("m_of_n", str | None, None, "Or: M points of the last N open an alert.", ALERTS, "M/N"),
    Flag("timezone", str, "UTC", "IANA zone of the metric: of times without one, of its days and weeks.", TIME, "ZONE"),
    Flag("holidays", str | None, None, "Country whose public holidays count as such: IE, US-CA.", TIME, "CODE"),
    Flag("exclude", list[str], [], "Do not learn from this span (repeatable).", TIME, "FROM/TO"),
    Flag("interval", str | None, None, "Time between readings; needed where rows are only numbered.", TIME, "TIME"),
    Flag("gap", str, "ignore", "Missing readings: ignore, zero, fixed:X, previous, linear[:N], model.", TIME, "POLICY"),
    Flag("resample", str | None, None, "Gather readings in buckets of this width first.", TIME, "TIME"),
    Flag("aggregate", str, "mean", "What a bucket says: mean, sum, max or last.", TIME, "HOW"),
    Flag("counter", bool, False, "The metric only counts up: watch its rate per second.", TIME),
)
"""Named as the fields of ``Options``."""

HINTS = (
    Flag("time", str | None, None, "Column of the time, if not found rightly.", INPUT, "COLUMN"),
    Flag("value", list[str], [], "Column of a metric (repeatable); no other column is one.", INPUT, "COLUMN"),
    Flag("label", list[str], [], "Column that tells series apart (repeatable).", INPUT, "COLUMN"),
    Flag("metric", str | None, None, "Name of the metric in a table with one.", INPUT, "NAME"),
    Flag("day_first", bool, False, "Dates such as 3/4/2025 are 3 April, if not found rightly.", INPUT),
    Flag("format", str | None, None, "csv, jsonl, json or parquet, if not found rightly.", INPUT, "FORMAT"),
)


def _debug(context: typer.Context, value: bool) -> None:
    if value:
        context.find_root().ensure_object(dict)["debug"] = True


DEBUG = typer.Option("--debug", help="Show where an error came from.", callback=_debug, expose_value=False)


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared flags; it takes them as mappings ``options`` and ``hints``."""
    own = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.name not in ("options", "hints")
    ]
    flags = [flag.parameter() for flag in (*HINTS, *OPTIONS)]
    debug = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, DEBUG])

    @functools.wraps(command)
    def with_flags(*args: Any, **given: Any) -> None:
        options = {flag.name: given.pop(flag.name) for flag in OPTIONS}
        hints = {flag.name: given.pop(flag.name) for flag in HINTS}
        given.pop("debug", None)
        command(*args, **given, options=options, hints=hints)

    parameters = [*own, *flags, debug]
    with_flags.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
    del with_flags.__wrapped__
    return with_flags
