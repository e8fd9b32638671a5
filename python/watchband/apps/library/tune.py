"""``wb.tune``: a configuration for the user's own series, to labels, to injected faults, or to an alert budget."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.apps.library.feeds import TableFeed, open_source
from watchband.apps.library.options import Options, detector_text
from watchband.apps.library.tuning.readings import label_list, read_series, with_labels
from watchband.core import params
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import WEEK, parse_duration
from watchband.core.errors import ConfigError
from watchband.pipeline import DEFAULT_DETECTOR
from watchband.pipeline.rules import Budget

if TYPE_CHECKING:
    from watchband.analysis.tuning.material import Series
    from watchband.apps.library.tuning.tuning import Tuning

AMONG = ("seasonal_band", "residual", "ewma", "rolling_zscore")
"""Detectors that are searched beside the one in use."""
AMONG_JOINED = ("pca_reconstruction", "half_space_trees")
"""The same where several metrics are judged together."""
SPLITS = ("time", "stratified")
_PLAIN = Options()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a tuning, beside what ``detect`` is asked; see ``tune``."""

    labels: Any = None
    objective: str = "f1"
    among: Sequence[str] | str | None = None
    inject: str | Sequence[str] | bool = False
    trials: int = 40
    seed: int = 0
    storage: str | Path | None = None
    time_limit: str | None = None
    jobs: int = 0
    test_share: float = 0.35
    split_gap: str | None = None
    split: str = "time"

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ConfigError(f"--split is one of {', '.join(SPLITS)}. Got {self.split!r}.")
        if self.trials < 1:
            raise ConfigError(f"--trials must be 1 or more. Got {self.trials}.")
        if self.labels is not None and self.inject:
            raise ConfigError("--labels and --inject exclude each other: injected faults stand in for labels.")
        if self.split == "stratified" and self.labels is None:
            raise ConfigError("--split stratified needs --labels: it divides labelled rows.")

    @property
    def detectors(self) -> tuple[str, ...]:
        """Detectors beside the one in use."""
        if self.among is None:
            return AMONG
        names = self.among.split(",") if isinstance(self.among, str) else self.among
        return tuple(n.strip() for n in names if n.strip() and n.strip() != "none")

    def stop(self, clock: Clock) -> Callable[[], bool]:
        """Whether the time is over."""
        if self.time_limit is None:
            return lambda: False
        end = clock.now() + parse_duration(self.time_limit)
        return lambda: clock.now() >= end


def tune(
    source: Any,
    labels: str | os.PathLike[str] | Iterable[Any] | None = None,
    *,
    objective: str = "f1",
    among: Sequence[str] | str | None = None,
    inject: str | Sequence[str] | bool = False,
    trials: int = 40,
    seed: int = 0,
    storage: str | Path | None = None,
    time_limit: str | None = None,
    jobs: int = 0,
    test_share: float = 0.35,
    split_gap: str | None = None,
    split: str = "time",
    detector: str = DEFAULT_DETECTOR,
    budget: str | None = None,
    time: str | None = None,
    value: str | Sequence[str] = (),
    label: str | Sequence[str] = (),
    metric: str | None = None,
    **options: Any,
) -> Tuning:
    """Find a configuration on the past and show on a later part whether it is better; see ``docs/tune.md``.

    Parameters
    ----------
    source : frame, series, (times, values), path or list of paths
        As for ``detect``.
    labels : path or iterable, optional
        A label file, ``Label`` objects or (series, start, end). Without labels and ``inject`` the budget is tuned, so
        that past alerts are what ``budget`` asks.
    objective : str, default "f1"
        ``f1``, ``vus-pr``, ``nab``, ``recall@0.8``, ``cost:missed=10,false=1,hour=0``.
    among : names, optional
        Detectors that are searched beside ``detector``; ``()`` searches its parameters alone.
    inject : bool or kinds of faults, default False
        Put faults into the series and tune to these.
    trials, seed, storage, time_limit, jobs
        Of the search: 40 trials in all, repeatable by its seed, resumed from its storage file.
    test_share, split_gap
        The last share of the time is reported on only; before it lies a gap that counts nowhere.
    split : {"time", "stratified"}
        ``stratified`` shows what rows divided at random make of the figures: it leaks.
    detector, budget and every other option of ``detect``
        What is in use today, and has to be beaten.

    Raises
    ------
    MissingExtraError, ConfigError, DataError
        A search without Optuna; as for ``detect``; no label within a part or of any series.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.random.default_rng(0).normal(10, 1, 4000)
    >>> found = tune((np.arange(4000) * 300_000_000_000, values), detector="ewma", budget="1/week")
    >>> found.decision, found.chosen.detector
    ('kept', 'ewma')
    """
    given = dict(locals())
    request = Request(**{f.name: given[f.name] for f in dataclasses.fields(Request)})
    chosen = Options(detector=detector, budget=budget, **options)
    columns = {"time": time, "value": _listed(value), "label": _listed(label), "metric": metric}
    return run(open_source(source, chosen, columns), chosen, request)


def run(
    feed: TableFeed,
    options: Options,
    request: Request,
    *,
    tell: Callable[[str, int, int], None] | None = None,
    clock: Clock | None = None,
    command: str = "",
) -> Tuning:
    """Tune on the readings of a feed; what ``tune`` and the command line share."""
    from watchband.analysis.tuning.material import in_time
    from watchband.analysis.tuning.objective import objective
    from watchband.analysis.tuning.search import need_optuna
    from watchband.apps.library.tuning.tuning import Tuning

    aim = objective(request.objective)
    searched = request.labels is not None or bool(request.inject)
    if searched:
        need_optuna()
    setting = Setting(options, request)
    labels = label_list(request.labels) if request.labels is not None else []
    series, notes = read_series(feed, setting.join)
    gap = None if request.split_gap is None else parse_duration(request.split_gap)
    parts = in_time(series, test_share=request.test_share, gap_ns=gap)
    told = (lambda done, total: tell("tuning", done, total)) if tell else None
    result: Any
    if not searched:
        from watchband.analysis.tuning.budget import to_budget

        result = to_budget(series, parts, setting.replay(), setting.default, setting.asked, tell=told)
    else:
        series, more = labelled(series, parts, labels, request, setting.options.join or ())
        notes += more
        result = _searched(series, parts, setting, aim, stop=request.stop(clock or SystemClock()), tell=told)
    told_of: dict[str, Any] = {
        "title": feed.title,
        "notes": [*feed.notes, *notes],
        "timezone": options.timezone,
        "command": command,
    }
    return Tuning(result, series=series, **told_of)


def labelled(
    series: list[Series], parts: Any, labels: Any, request: Request, join: Sequence[str] = ()
) -> tuple[list[Series], list[str]]:
    """Every series with its labels, or with faults that are put in, and notes on that."""
    if not request.inject:
        return with_labels(series, labels, join)
    from watchband.analysis.tuning.injection import with_faults

    named = request.inject.split(",") if isinstance(request.inject, str) else request.inject
    kinds = None if isinstance(named, bool) else [name.strip() for name in named]
    note = "events are faults that were put in; an alert on something that really was wrong counts as false"
    return with_faults(series, parts, kinds, seed=request.seed), [note]


def _searched(series: list[Series], parts: Any, setting: Setting, aim: Any, **beside: Any) -> Any:
    from watchband.analysis.tuning.stratified import stratified
    from watchband.analysis.tuning.tune import tune as search

    request = setting.request
    beside |= {"trials": request.trials, "seed": request.seed}
    beside["storage"] = None if request.storage is None else str(request.storage)
    material = (series, parts, setting.replay(), setting.space())
    if request.split == "stratified":
        return stratified(*material, test_share=request.test_share, **beside)
    return search(*material, aim, injected=bool(request.inject), **beside)


class Setting:
    """What is in use today, in the words of tuning.

    Parameters
    ----------
    options : Options
        As for ``detect``.
    request : Request
        What is asked of the tuning.

    Raises
    ------
    ConfigError
        An option that cannot be.
    """

    def __init__(self, options: Options, request: Request) -> None:
        from watchband.analysis.tuning.configuration import Configuration

        together = options.joined(options.build_detector())
        if together is not None and not options.join:
            # A detector that names several columns: every other one is told of them, too.
            options = dataclasses.replace(options, join=together.columns)
        self.options, self.request, self.join = options, request, together
        built = options.build_detector() if not isinstance(options.detector, str) else None
        text = detector_text(built) if built is not None else str(options.detector)
        self.name, _, rest = text.partition(":")
        from watchband.pipeline.catalogue import CATALOGUE

        self.given = params.read_text(CATALOGUE.get(self.name), rest)
        self.watch = options.watch("tune")
        self.shared = options.shared()
        self.default = Configuration(self.name, self.given, str(options.rule()))

    def replay(self) -> Any:
        """What runs configurations."""
        from watchband.analysis.tuning.replay import Replay

        return Replay(self.watch, self.shared, self.options.excluded(), self.request.jobs)

    def space(self) -> Any:
        """Where is searched."""
        from watchband.analysis.tuning.space import Space

        stated = {
            n for n in ("consecutive", "min_deviation_relative") if getattr(self.options, n) != getattr(_PLAIN, n)
        }
        if self.options.m_of_n is not None:
            stated.add("consecutive")
        others = tuple(n for n in self._others() if n != self.name)
        return Space(
            (self.name, *others), str(self.options.rule()), stated=frozenset(stated), given={self.name: self.given}
        )

    def _others(self) -> tuple[str, ...]:
        if self.join is None:
            return self.request.detectors
        if self.request.among is None:
            return AMONG_JOINED
        from watchband.analysis.training.fitting import check_columns

        return tuple(check_columns((self.name, *self.request.detectors), len(self.join.columns))[0])

    @property
    def asked(self) -> float:
        """Alerts a week and series."""
        rule = self.options.rule()
        if not isinstance(rule, Budget):
            raise ConfigError(
                f"Without labels the alerts you can take are tuned to. Got the rule {rule}; give --budget 1/week."
            )
        return rule.alerts * WEEK / rule.period_ns


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
