"""One backtest from input to results: spool, replay, assess, choose."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from watchband.apps.library.backtest.entries import Entries
from watchband.apps.library.backtest.feedback import Rating, labels_of_ratings
from watchband.apps.library.backtest.ledger import Ledger, Record, code_fingerprint
from watchband.apps.library.backtest.result import Backtest, Told
from watchband.apps.library.backtest.spool import Spool
from watchband.apps.library.backtest.work import Failure, Work
from watchband.apps.library.feeds import Progress, TableFeed
from watchband.apps.library.joining import Joining
from watchband.apps.library.moments import iso
from watchband.core.errors import ConfigError, DataError
from watchband.evaluation.backtest.assess import Outcome, assess
from watchband.evaluation.backtest.contender import Contender
from watchband.evaluation.backtest.periods import Plan, Span
from watchband.evaluation.labels import Label, labels_of

JOBS_MAX = 32


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Everything that shapes a backtest but its input.

    Parameters
    ----------
    entries : Entries
        Who takes part.
    labels : sequence of Label, optional
        What was wrong; None where nobody knows, empty where nothing was.
    feedback : sequence of Rating
        What people said of alerts: labels that know something and not everything. Without ``labels`` an alert that
        nobody rated is neither right nor false.
    plan : Plan
        What counts, and how it is split.
    jobs : int, default as many as cores
        Series replayed at the same time.
    scores : bool, default True
        Keep what is said of every point.
    """

    entries: Entries = field(default_factory=Entries)
    labels: Sequence[Label] | None = None
    feedback: Sequence[Rating] = ()
    plan: Plan = field(default_factory=Plan)
    jobs: int = 0
    scores: bool = True

    def settings(self) -> dict[str, Any]:
        """What reports state."""
        plan, options = self.plan, self.entries.options.settings()
        found = {k: v for k, v in options.items() if k not in ("detector", "rule")}
        found |= {"from": None if plan.begin is None else iso(plan.begin)}
        found |= {"to": None if plan.end is None else iso(plan.end)}
        found |= {"warm_up_ns": plan.warm_up_ns, "splits": plan.splits, "gap_ns": plan.gap_ns}
        found |= {"feedback": len(self.feedback)}
        found |= {"labels": None if self.labels is None else len(self.labels)}
        return {k: v for k, v in found.items() if v not in (None, 0)}


def execute(
    feed: TableFeed,
    setup: Setup,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> Backtest:
    """Run a backtest.

    Parameters
    ----------
    feed : TableFeed
        The readings.
    setup : Setup
        Who judges them, and by what they are judged.
    out : path, optional
        Results directory. What an earlier run, finished or killed, has left there is used again.
    progress : callable, optional
        Told of bytes done and in all.
    command : str, optional
        The command line, for the report.

    Raises
    ------
    ConfigError
        Something that cannot be, before anything is replayed.
    DataError
        Nothing could be replayed.
    """
    contenders = setup.entries.contenders()
    if out is not None:
        return _run(feed, setup, contenders, Path(out).expanduser().resolve(), progress, command)
    folder = Path(tempfile.mkdtemp(prefix="watchband-backtest-"))
    try:
        found = _run(feed, setup, contenders, folder, progress, command)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    # Scores can be asked for as long as the result is held.
    weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)
    return found


def _run(
    feed: TableFeed,
    setup: Setup,
    contenders: Sequence[Contender],
    target: Path,
    progress: Progress | None,
    command: str,
) -> Backtest:
    ledger = Ledger(target, {"settings": setup.settings(), "candidates": {c.name: c.text for c in contenders}})
    join = contenders[0].watch.join
    with ledger.alone(), Spool(target, 1 if join is None else len(join.columns)) as spool:
        spool.take(feed.batches() if join is None else Joining(join).batches(feed.batches()))
        for series in spool.series:
            series.file = feed.files.get(str(series.key), "")
        labels = _labels(setup.labels, spool)
        _check_something_counts(setup, spool)
        work = Work(
            spool=spool,
            contenders=contenders,
            ledger=ledger,
            code=code_fingerprint(),
            excluded=setup.entries.options.excluded(),
            until=setup.plan.end,
            jobs=setup.jobs or min(os.cpu_count() or 1, JOBS_MAX),
            scores=setup.scores,
        )
        failures = work.run(progress)
        notes = _add_feedback(labels, setup.feedback, work)
        told = _told(work, setup, labels, failures)
    if not told and failures:
        first = failures[0]
        raise DataError(f"Nothing could be replayed. {first.series}, {first.candidate}: {first.error}")
    return Backtest(
        contenders=contenders,
        told=told,
        labels=labels,
        labelled=setup.labels is not None or bool(setup.feedback),
        plan=setup.plan,
        failures=failures,
        notes=[*feed.notes, *notes],
        title=feed.title,
        settings=setup.settings(),
        zone=setup.entries.options.timezone,
        command=command,
        ledger=ledger,
        keys={
            (str(series.key), one.name): work.key(number, one)
            for number, series in enumerate(spool.series)
            for one in contenders
        },
    )


def _check_something_counts(setup: Setup, spool: Spool) -> None:
    """A period beside the data would otherwise pass for one without alerts."""
    known = [one for one in spool.series if one.readings]
    if any(_span(setup.plan, spool, number).length for number, one in enumerate(spool.series) if one.readings):
        return
    if known:
        begin, end = iso(min(one.first for one in known)), iso(max(one.last for one in known))
        raise ConfigError(
            f"No reading counts: they lie between {begin} and {end}, and --from, --to and --warm-up leave none of "
            "them. Give a period that the data reaches into."
        )


def _labels(given: Sequence[Label] | None, spool: Spool) -> dict[str, list[Label]]:
    """The labels of each series by its name.

    Raises
    ------
    ConfigError
        There are labels, and none is of any series.
    """
    names = [str(series.key) for series in spool.series]
    found = {
        name: labels_of(given or (), name, series.file, only=len(names) == 1)
        for name, series in zip(names, spool.series, strict=True)
    }
    if given and not any(found.values()):
        wanted = given[0].series
        near = get_close_matches(wanted, names, n=1) or names[:1]
        raise ConfigError(
            f"None of the {len(given)} labels is of a series of the input: the first names {wanted!r}, and there is "
            f"{near[0]!r}. Name the series as 'watchband detect' prints them, or by their file."
        )
    return found


def _add_feedback(labels: dict[str, list[Label]], ratings: Sequence[Rating], work: Work) -> list[str]:
    """Put what people said beside the labels; notes on what could not be placed."""
    if not ratings:
        return []
    numbers = range(len(work.spool.series))
    records = [work.ledger.find(work.key(number, one)) for number in numbers for one in work.contenders]
    found, lost = labels_of_ratings(ratings, {alert.id: alert for one in records if one for alert in one.alerts})
    names = list(labels)
    for name, series in zip(names, work.spool.series, strict=True):
        labels[name] = [*labels[name], *labels_of(found, name, series.file, only=len(names) == 1)]
    if lost:
        return [f"feedback on {len(lost)} alerts that no candidate makes is left out, such as {lost[0]}"]
    return []


def _span(plan: Plan, spool: Spool, number: int) -> Span:
    """What counts of one series with readings; nothing that comes after the plan's end shapes it."""
    readings, last = spool.before(number, plan.end)
    return plan.counted(spool.series[number].first, last, readings)


def _told(work: Work, setup: Setup, labels: dict[str, list[Label]], failures: Sequence[Failure]) -> list[Told]:
    """What came of each series under each candidate, series by series; those without a record are left out."""
    bad = {(one.series, one.candidate) for one in failures}
    found = []
    for number, series in enumerate(work.spool.series):
        name = str(series.key)
        if not series.readings:
            continue
        span = _span(setup.plan, work.spool, number)
        outcomes: dict[str, tuple[Record, Outcome]] = {}
        for one in work.contenders:
            record = work.ledger.find(work.key(number, one)) if (name, one.name) not in bad else None
            if record is not None:
                outcome = assess(
                    name, record.alerts, labels[name], span.start, span.end, labelled=setup.labels is not None
                )
                outcomes[one.name] = record, outcome
        # Candidates are compared over the same series, or not at all.
        if len(outcomes) == len(work.contenders):
            found.append(Told(series, span, outcomes))
    return found
