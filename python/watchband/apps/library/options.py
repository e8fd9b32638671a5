"""What a user can ask of ``detect``, in words, and the watch that follows from it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchband.apps.library.moments import parse_span, zone
from watchband.core import params
from watchband.core.detector import Detector
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError
from watchband.detectors.fitted import rows
from watchband.pipeline import DEFAULT_DETECTOR
from watchband.pipeline.catalogue import CATALOGUE

if TYPE_CHECKING:
    from watchband.pipeline.join_columns import JoinColumns
    from watchband.pipeline.policy import Policy
    from watchband.pipeline.prepare import Prepare
    from watchband.pipeline.rules import Rule
    from watchband.pipeline.watch import Watch

RULES = ("budget", "cutoff", "sigma", "contamination", "width")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Everything that shapes a run, as text and numbers.

    Parameters
    ----------
    detector : str or Detector, default ``pipeline.DEFAULT_DETECTOR``
        A name, ``"name:key=value,…"``, or a detector object.
    budget, cutoff, sigma, contamination, width : optional
        The decision rule; at most one of them. Default: the detector's own, which is one alert a week for most.
        ``width`` is a cut-off in scale units: the band reaches so many of them around the expected value.
    exclude : sequence of "FROM/TO" or (from, to)
        Spans that are scored but not learned from.
    direction : {"both", "above", "below"}
        The side that matters.
    range : "LOW:HIGH" or (low, high), optional
        Logical range of the metric; outside it is a finding.
    timezone, holidays : str
        IANA zone of the metric (also for times without one), and the country whose holidays count.
    interval, gap, resample, aggregate, counter
        How readings become points; see ``docs/prepare.md``.
    min_deviation, min_deviation_relative, min_count, consecutive, m_of_n
        What an anomaly must be to open an alert.
    join : "A,B,…" or sequence of str
        Metrics of an entity that are judged together, in the order of the model; the first leads. None given: those
        that the detector names as its columns, where it has several.
    """

    detector: str | Detector = DEFAULT_DETECTOR
    budget: str | None = None
    cutoff: float | None = None
    sigma: float | str | None = None
    contamination: float | None = None
    width: float | None = None
    exclude: Sequence[str | tuple[Any, Any]] = ()
    direction: str = "both"
    range: str | tuple[float | None, float | None] | None = None
    timezone: str = "UTC"
    holidays: str | None = None
    interval: str | None = None
    gap: str = "ignore"
    resample: str | None = None
    aggregate: str = "mean"
    counter: bool = False
    min_deviation: float = 0.0
    min_deviation_relative: float = 0.0
    min_count: float | None = None
    consecutive: int = 1
    m_of_n: str | None = None
    join: str | Sequence[str] | None = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "exclude", tuple(self.exclude))
        names = self.join.split(",") if isinstance(self.join, str) else self.join or ()
        object.__setattr__(self, "join", tuple(name.strip() for name in names if name.strip()))

    def settings(self) -> dict[str, Any]:
        """What differs from the defaults, and the detector: what a report states."""
        plain = Options()
        changed = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if f.name != "detector" and getattr(self, f.name) != getattr(plain, f.name)
        }
        return {"detector": detector_text(self.build_detector()), "rule": str(self.rule()), **changed}

    def build_detector(self) -> Detector:
        """The detector, told the time zone, holidays, range and direction where it has such parameters.

        Of an ensemble only the band's member where the rule is no budget: such rules read one score in its unit.
        """
        from watchband.pipeline.ensemble import Ensemble

        found = self.detector if isinstance(self.detector, Detector) else self._named(self.detector)
        other = any(getattr(self, name) is not None for name in RULES if name != "budget")
        return found.band if other and isinstance(found, Ensemble) else found

    def _named(self, text: str) -> Detector:
        name, _, rest = text.partition(":")
        found = CATALOGUE.get(name.strip())
        given = params.read_text(found, rest)
        known = params.params_of(found)
        told = {k: v for k, v in self.shared().items() if k in known and v is not None}
        if self.join and "features" in known and not {"features", "model"} & given.keys():
            told |= rows.plain(found, told["columns"].split())
        return params.build(found, {**told, **given})

    def shared(self) -> dict[str, Any]:
        """What is stated once for every detector, as far as it has such parameters."""
        low, high = self.limits()
        found = {"timezone": self.timezone, "holidays": self.holidays, "range_low": low, "range_high": high}
        if self.join:
            found |= {"columns": " ".join(map(column_name, self.join)), "dims": len(self.join)}
        return found

    def limits(self) -> tuple[float | None, float | None]:
        """Lowest and highest value that make sense, None where open."""
        if self.range is None:
            return None, None
        if not isinstance(self.range, str):
            low, high = self.range
        else:
            parts = self.range.split(":")
            try:
                low, high = (float(p) if p.strip() else None for p in parts)
            except ValueError as error:
                raise ConfigError(
                    f"--range {self.range!r} is not a range. Write LOW:HIGH, for example 0:100, 0: or :1."
                ) from error
        if low is not None and high is not None and not low < high:
            raise ConfigError(f"--range {self.range!r} is empty: its lower end must be below its upper end.")
        return low, high

    def rule(self) -> Rule:
        """The decision rule: the one given, else the detector's own, else one alert a week."""
        from watchband.pipeline.rules import parse_rule

        given = {name: getattr(self, name) for name in RULES if getattr(self, name) is not None}
        if len(given) > 1:
            first, second = list(given)[:2]
            raise ConfigError(
                f"--{first} and --{second} exclude each other: a watch has one decision rule. Give one of them."
            )
        for name, value in given.items():
            return parse_rule(f"{'cutoff' if name == 'width' else name}:{value}")
        own = getattr(self.build_detector(), "default_rule", "budget")
        return parse_rule("budget:1/week" if own == "budget" else own)

    def excluded(self) -> list[tuple[int, int]]:
        """Spans that are not learned from, in nanoseconds."""
        return [_span(item, self.timezone) for item in self.exclude]

    def watch(self, name: str = "detect") -> Watch:
        """The watch that all this amounts to.

        Raises
        ------
        ConfigError
            An option that cannot be, or two that exclude each other; says which.
        """
        from watchband.pipeline.watch import Watch

        zone(self.timezone)
        detector = self.build_detector()
        join = self.joined(detector)
        prepare = self.prepare() if join is None else dataclasses.replace(self.prepare(), resample_ns=None)
        return Watch(name, detector, self.rule(), self.policy(), prepare, self.timezone, join=join)

    def joined(self, detector: Detector) -> JoinColumns | None:
        """What is judged together; None where every series is judged by itself."""
        from watchband.pipeline.join_columns import JoinColumns

        names = tuple(self.join or ()) or tuple(getattr(detector, "columns", "").split())
        if len(names) < 2 and not self.join:
            return None
        width = parse_duration(self.resample) if self.resample else 1
        return JoinColumns(names, slot_ns=width, aggregate=self.aggregate)

    def policy(self) -> Policy:
        """What an anomaly must be, beyond its score, to open an alert."""
        from watchband.pipeline.policy import Policy

        low, high = self.limits()
        if self.consecutive > 1 and self.m_of_n is not None:
            raise ConfigError("--consecutive and --m-of-n exclude each other: both say what opens an alert. Give one.")
        return Policy(
            direction=self.direction,
            min_deviation=self.min_deviation,
            min_deviation_relative=self.min_deviation_relative,
            min_count=self.min_count,
            range_low=low,
            range_high=high,
            consecutive=self.consecutive,
            m_of_n=_m_of_n(self.m_of_n),
        )

    def prepare(self) -> Prepare:
        """How readings become points."""
        from watchband.pipeline.prepare import Prepare

        if self.aggregate != "mean" and not self.resample:
            raise ConfigError(
                f"--aggregate {self.aggregate} says what a bucket is, and there are none. Give their width too: "
                "--resample 5m."
            )
        word, colon, rest = self.gap.partition(":")
        told: dict[str, Any] = {}
        try:
            if colon and word == "fixed":
                told["gap_value"] = float(rest)
            elif colon:
                told["gap_limit"] = int(rest)
        except ValueError as error:
            raise ConfigError(
                f"--gap {self.gap!r} cannot be read. Write fixed:VALUE, or a limit in points such as linear:12."
            ) from error
        return Prepare(
            interval_ns=self.interval_ns(),
            resample_ns=parse_duration(self.resample) if self.resample else None,
            aggregate=self.aggregate,
            gap=word,
            counter=self.counter,
            **told,
        )

    def interval_ns(self) -> int | None:
        """The stated interval, None where it is to be learned."""
        return parse_duration(self.interval) if self.interval else None


def detector_text(detector: Detector) -> str:
    """A detector as the command line writes it, with the parameters that are not the default.

    Examples
    --------
    >>> from watchband.detectors import RollingZscore
    >>> detector_text(RollingZscore(window=12, inclusive=True))
    'rolling_zscore:window=12,inclusive=true'
    """
    defaults = {f.name: f.default for f in dataclasses.fields(detector)}
    changed = {k: v for k, v in params.values_of(detector).items() if v != defaults[k]}
    text = ",".join(f"{k}={_written(v)}" for k, v in changed.items())
    return f"{detector.name}:{text}" if text else detector.name


def rule_words(rule: str) -> str:
    """A decision rule for people.

    Examples
    --------
    >>> rule_words("budget:1/1w"), rule_words("cutoff:3.0")
    ('budget 1/week', 'cutoff 3.0')
    """
    words = {"1w": "week", "1d": "day", "1h": "hour", "4w2d": "month"}
    kind, _, rest = rule.partition(":")
    number, slash, period = rest.partition("/")
    return f"{kind} {number}{slash}{words.get(period, period)}"


def column_name(metric: str) -> str:
    """The name of a metric as a detector takes it among its columns.

    Examples
    --------
    >>> column_name("cpu usage %"), column_name("cluster_pod_ratio")
    ('cpu_usage__', 'cluster_pod_ratio')
    """
    name = re.sub(r"[^A-Za-z0-9_.:-]", "_", metric)
    return name if re.match(r"[A-Za-z_]", name) else "_" + name


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _span(item: str | tuple[Any, Any], timezone: str) -> tuple[int, int]:
    if isinstance(item, str):
        return parse_span(item, timezone)
    start, stop = (getattr(t, "isoformat", lambda t=t: str(t))() for t in item)
    return parse_span(f"{start}/{stop}", timezone)


def _m_of_n(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        m, n = (int(part) for part in text.split("/"))
    except ValueError as error:
        raise ConfigError(f"--m-of-n {text!r} cannot be read. Write M/N, for example 3/5.") from error
    if not 1 <= m <= n:
        raise ConfigError(f"--m-of-n {text!r}: M must be from 1 to N.")
    return m, n
