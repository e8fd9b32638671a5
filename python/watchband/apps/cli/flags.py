"""The flags that ``detect``, ``explain`` and ``backtest`` share, declared once."""

from __future__ import annotations

import functools
import inspect
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_args

import typer

from watchband.pipeline import DEFAULT_DETECTOR

INPUT, JUDGE, ALERTS, TIME, OUTPUT = "Input", "Detector and rule", "Alerts", "Time and gaps", "Output"


@dataclass(frozen=True)
class Flag:
    """One flag: parameter name, type, default, help, panel, how its value is called, how it is spelled, least value."""

    name: str
    kind: Any
    default: Any
    help: str
    panel: str
    metavar: str | None = None
    spelled: str | None = None
    least: int | None = None

    def several(self) -> Flag:
        """The same as a flag that may be given several times; none is the default."""
        return replace(self, kind=list[_one_of(self.kind)], default=[], help=f"{self.help} Repeatable.")  # type: ignore[misc]

    def parameter(self) -> inspect.Parameter:
        """The flag as a parameter that typer reads."""
        spelled = (self.spelled or f"--{self.name.replace('_', '-')}").split()
        option = typer.Option(
            *spelled, help=self.help, rich_help_panel=self.panel, metavar=self.metavar, min=self.least
        )
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=self.default,
            annotation=_annotated(self.kind, option),
        )


def command_line() -> str:
    """The command as it was typed, for reports."""
    return shlex.join(["watchband", *sys.argv[1:]])


def _one_of(kind: Any) -> Any:
    """The type itself of one that may be None."""
    return next((part for part in get_args(kind) if part is not type(None)), kind)


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
    Flag("join", str | None, None, "Metrics of an entity that are judged together; the first leads.", JUDGE, "A,B,…"),
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

COMPARED = frozenset(("detector", "budget", "cutoff", "sigma", "contamination", "width"))
"""Those of them that a comparison takes several times."""

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
    return _with_flags(command, (*HINTS, *OPTIONS), ())


def shared_with(*own: Flag) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same for a command with flags of its own, which it takes as a mapping ``own``."""
    return lambda command: _with_flags(command, (*HINTS, *OPTIONS), own)


def compared(*own: Flag) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same for a command that compares: detector and rules may be given several times and come as lists.

    Parameters
    ----------
    own : Flag
        The command's own flags; it takes them as a mapping ``own``.
    """
    several = tuple(flag.several() if flag.name in COMPARED else flag for flag in OPTIONS)
    return lambda command: _with_flags(command, (*HINTS, *several), own)


def flagged(*own: Flag, hinted: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command flags of its own, which it takes as a mapping ``own``; ``hinted`` adds how files are read."""
    return lambda command: _with_flags(command, HINTS if hinted else (), own)


def _with_flags(command: Callable[..., None], asked: Sequence[Flag], own: Sequence[Flag]) -> Callable[..., None]:
    direct = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.name not in ("options", "hints", "own")
    ]
    flags = [flag.parameter() for flag in (*own, *asked)]
    debug = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, DEBUG])

    @functools.wraps(command)
    def with_flags(*args: Any, **given: Any) -> None:
        given.pop("debug", None)
        if own:
            given["own"] = {flag.name: given.pop(flag.name) for flag in own}
        hints = {flag.name: given.pop(flag.name) for flag in HINTS if flag in asked}
        options = {flag.name: given.pop(flag.name) for flag in OPTIONS if flag.name in given}
        if options:
            given["options"] = options
        if hints:
            given["hints"] = hints
        command(*args, **given)

    parameters = [*direct, *flags, debug]
    with_flags.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
    del with_flags.__wrapped__
    return with_flags
