"""Decision rules: what turns a score into "anomalous", and how users write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from watchband.core import params
from watchband.core.duration import WEEK, format_duration, parse_duration
from watchband.core.errors import ConfigError
from watchband.core.params import Flag, Integer, Real, Span, param

P_LIMIT_MAX = 0.05
"""A budget above one alert in twenty points is treated as this; no tail is meant for more."""
P_LIMIT_MIN = 1e-9


@dataclass(frozen=True)
class Budget:
    """So many alerts a period for one series: ``1/week``. The default.

    Examples
    --------
    >>> str(Budget(2, WEEK)), Budget().p_limit(60_000_000_000) == 60 / (7 * 86400)
    ('budget:2/1w', True)
    """

    alerts: float = param(
        1.0, Real(0, low_open=True), "Alerts a period.", retunable=True, search=Span(0.05, 20.0, log=True)
    )
    period_ns: int = param(WEEK, Integer(1), "The period.", unit="ns", retunable=True)

    def __post_init__(self) -> None:
        params.check(self)

    def p_limit(self, interval_ns: int) -> float:
        """Share of points that may open an alert when one comes every ``interval_ns``."""
        return min(max(self.alerts * interval_ns / self.period_ns, P_LIMIT_MIN), P_LIMIT_MAX)

    def __str__(self) -> str:
        return f"budget:{self.alerts:g}/{format_duration(self.period_ns)}"


@dataclass(frozen=True)
class Cutoff:
    """Anomalous where the score is above ``x``."""

    x: float = param(3.0, Real(0, low_open=True), "The cut-off.", unit="score", retunable=True)

    def __post_init__(self) -> None:
        params.check(self)

    def __str__(self) -> str:
        return f"cutoff:{self.x!r}"


@dataclass(frozen=True)
class Sigma:
    """Anomalous where the score is above mean + ``k`` standard deviations of past scores.

    With ``robust`` above median + ``k`` times 1.4826 times the median absolute deviation. ``train`` points are
    learned and then kept; 0 goes on learning.
    """

    k: float = param(3.0, Real(0, low_open=True), "Standard deviations above the mean.", retunable=True)
    train: int = param(0, Integer(0), "Training points; 0 learns for ever.", unit="points")
    robust: bool = param(False, Flag(), "Median and median deviation instead of mean and standard deviation.")

    def __post_init__(self) -> None:
        params.check(self)

    def __str__(self) -> str:
        extra = (f",train={self.train}" if self.train else "") + (",robust" if self.robust else "")
        return f"sigma:{self.k!r}{extra}"


@dataclass(frozen=True)
class Contamination:
    """Anomalous where the score is among the highest share ``f`` of past scores."""

    f: float = param(0.01, Real(0, 0.5, True), "Share of points that are anomalous.", retunable=True)

    def __post_init__(self) -> None:
        params.check(self)

    def __str__(self) -> str:
        return f"contamination:{self.f!r}"


Rule: TypeAlias = Budget | Cutoff | Sigma | Contamination

DEFAULT_RULE = Budget()
"""One alert a week for a series."""


def parse_rule(text: str) -> Rule:
    """A rule from its text; ``str(rule)`` is the inverse.

    Parameters
    ----------
    text : str
        ``budget:1/week`` (or just ``1/week``), ``cutoff:3``, ``sigma:2.5``, ``sigma:3,train=500,robust``,
        ``contamination:0.03``.

    Raises
    ------
    ConfigError
        The text is no rule; the message shows the forms.

    Examples
    --------
    >>> parse_rule("2/day"), parse_rule("sigma:2.5,train=100")
    (Budget(alerts=2.0, period_ns=86400000000000), Sigma(k=2.5, train=100, robust=False))
    """
    kind, colon, rest = text.strip().partition(":")
    if not colon and "/" in kind:
        kind, rest = "budget", kind
    try:
        if kind == "budget":
            alerts, slash, period = rest.partition("/")
            if slash:
                return Budget(float(alerts), parse_duration(period))
        elif kind == "cutoff":
            return Cutoff(float(rest))
        elif kind == "contamination":
            return Contamination(float(rest))
        elif kind == "sigma" and (found := re.fullmatch(r"([^,]+)(?:,train=(\d+))?(,robust)?", rest)):
            return Sigma(float(found[1]), int(found[2] or 0), found[3] is not None)
    except ConfigError:
        raise
    except ValueError:
        pass
    if kind == "budget":
        raise ConfigError(f"A budget is so many alerts a period, written 1/week, 2/day or 10/30d. Got {rest!r}.")
    raise ConfigError(
        "A rule is written budget:1/week (or 1/week), cutoff:3, sigma:2.5 (sigma:3,train=500,robust) or "
        f"contamination:0.03. Got {text!r}."
    )
