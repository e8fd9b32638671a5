"""``wb.backtest``: what would have alerted, from a frame, arrays or files, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from watchband.apps.library.backtest.entries import Entries, Judge, rules_of
from watchband.apps.library.backtest.feedback import read_feedback
from watchband.apps.library.backtest.job import Setup, execute
from watchband.apps.library.backtest.result import Backtest
from watchband.apps.library.feeds import open_source
from watchband.apps.library.labels import read_labels
from watchband.apps.library.moments import parse_moment
from watchband.apps.library.options import RULES, Options
from watchband.core.duration import parse_duration
from watchband.core.errors import UnknownNameError
from watchband.evaluation.backtest.periods import Plan
from watchband.evaluation.labels import Label

Labels = str | Path | Sequence[str | Path] | Sequence[Label]
"""Label files, or labels."""


def backtest(
    source: Any,
    *,
    detector: Judge | Sequence[Judge] = (),
    budget: str | Sequence[str] = (),
    cutoff: float | Sequence[float] = (),
    sigma: float | str | Sequence[float | str] = (),
    policy: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] = (),
    labels: Labels | None = None,
    feedback: str | Path | Sequence[str | Path] = (),
    begin: Any = None,
    end: Any = None,
    warm_up: str | None = None,
    splits: int = 0,
    split_gap: str | None = None,
    baselines: bool = False,
    out: str | Path | None = None,
    jobs: int = 0,
    scores: bool = True,
    **options: Any,
) -> Backtest:
    """Replay the past and say what would have alerted, candidate by candidate.

    Parameters
    ----------
    source : frame, series, (times, values), path or list of paths
        As for ``detect``.
    detector, budget, cutoff, sigma, policy : one or a list
        Every detector is replayed under every rule and every policy. A detector is a name, an object, a function
        ``(times, values) -> scores``, ``"exec:COMMAND"`` or ``"import:package.module:name"``; a policy is text
        (``"consecutive=3"``) or a mapping of what differs.
    labels : path or list of paths, or list of Label, optional
        What was wrong; an empty list says that nothing was.
    feedback, begin, end, warm_up, splits, split_gap, baselines, jobs, scores
        As the flags of ``watchband backtest`` (``--from``, ``--to`` …): ``docs/backtest.md``.
    out : path, optional
        Results directory; an earlier run's replays in it are used again.
    **options
        Further options of ``detect``: ``timezone``, ``gap``, ``exclude``, ``value``, ``label`` …

    Raises
    ------
    ConfigError, DataError
        An option that cannot be; input that cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> times, values = np.arange(3000) * 60_000_000_000, 10 + np.sin(np.arange(3000) * 1.7)
    >>> values[2000:2003] = 25.0
    >>> wrong = [Label("", int(times[2000]), int(times[2010]))]
    >>> found = backtest((times, values), detector=["ewma", "rolling_zscore"], cutoff=5, labels=wrong)
    >>> [(name, one.found, one.false) for name, one in found.figures.items()]
    [('ewma', 1, 0), ('rolling_zscore', 1, 0)]
    """
    columns = {name: options.pop(name, None) for name in ("time", "value", "label", "metric")}
    columns |= {name: _listed(columns[name] or ()) for name in ("value", "label")}
    further = {name: _listed(options.pop(name, ())) for name in ("contamination", "width")}
    rules = rules_of(budget=_listed(budget), cutoff=_listed(cutoff), sigma=_listed(sigma), **further)
    base = _options(options)
    judges, policies = _listed(detector), _listed(policy)
    entries = Entries(detectors=judges, rules=rules, policies=policies, options=base, with_baselines=baselines)
    plan = plan_of(_text(begin), _text(end), warm_up, splits, split_gap, base.timezone)
    ratings = [rating for path in _listed(feedback) for rating in read_feedback(path)]
    setup = Setup(entries=entries, labels=labels_from(labels), feedback=ratings, plan=plan, jobs=jobs, scores=scores)
    found = execute(open_source(source, base, columns), setup, out=out)
    if out is not None:
        found.write()
    return found


def _options(given: Mapping[str, Any]) -> Options:
    known = {f.name for f in fields(Options)} - {"detector", *RULES}
    for name in given:
        if name not in known:
            raise UnknownNameError("option of backtest", name, known)
    return Options(**given)


def labels_from(given: Labels | None) -> list[Label] | None:
    """Labels as such, or from their files; None stays None."""
    if given is None:
        return None
    found: list[Label] = []
    for one in [given] if isinstance(given, (str, Path)) else given:
        found += [one] if isinstance(one, Label) else read_labels(one)
    return found


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


def plan_of(
    begin: str | None, end: str | None, warm_up: str | None, splits: int, split_gap: str | None, zone: str
) -> Plan:
    """What counts, from how people write it; times without an offset are in ``zone``."""
    return Plan(
        parse_moment(begin, zone) if begin else None,
        parse_moment(end, zone, end=True) if end else None,
        parse_duration(warm_up) if warm_up else None,
        splits,
        parse_duration(split_gap) if split_gap else 0,
    )


def _text(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    return str(getattr(given, "isoformat", lambda: str(given))())
