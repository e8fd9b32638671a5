"""One series of the matrix, judged: what each candidate's alerts were worth."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from watchband.core.points import Float64
from watchband.evaluation.candidate import Candidate, score
from watchband.evaluation.judge import judge
from watchband.evaluation.labels import windows
from watchband.evaluation.metrics.delay import delays
from watchband.evaluation.metrics.events import EventCounts, count_events
from watchband.evaluation.robustness.matrix import Frame, Setting, series_of
from watchband.pipeline.prepare import Prepare, Raw


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one candidate did with one series.

    Parameters
    ----------
    detector : str
        The candidate's name.
    setting : Setting
        The series.
    found, missed, false : int
        Events in which an alert opened and others, alerts elsewhere.
    delays : tuple of float
        Points from the start of each event to its first alert, infinite where there was none.
    points : int
        Points that were judged; 0 where there is no room for the fault.
    span_ns : int
        Time from first to last point.
    promised : float
        Alerts that the budget promises for as many points.
    seconds : float
        CPU time of scoring.
    """

    detector: str
    setting: Setting
    found: int
    missed: int
    false: int
    delays: tuple[float, ...]
    points: int
    span_ns: int
    promised: float
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For a line of a file; infinity becomes null."""
        words = asdict(self) | {"setting": str(self.setting)}
        return words | {"delays": [d if np.isfinite(d) else None for d in self.delays]}

    @classmethod
    def of_json(cls, words: Mapping[str, Any]) -> Outcome:
        """The reverse of ``as_json``."""
        late = tuple(np.inf if d is None else float(d) for d in words["delays"])
        return cls(**{**words, "setting": Setting.parse(words["setting"]), "delays": late})


def run_setting(
    setting: Setting, candidates: Mapping[str, Candidate], frames: Mapping[str, Frame], seed: int = 0
) -> list[Outcome]:
    """Judge one series by every candidate, all with the calibration and alert logic of the product.

    Every alert counts, those of the first points too: people see them.

    Parameters
    ----------
    setting : Setting
        The series.
    candidates : mapping of str to candidate
        By name.
    frames : mapping of str to Frame
        Length, interval and budget of each time frame.
    seed : int, default 0
        Another seed, other series.

    Examples
    --------
    >>> from watchband.evaluation.candidate import candidate
    >>> found = run_setting(Setting("cpu", "level_shift"), {"ewma": candidate("ewma")}, {"5m": Frame(3 * 10**11, 3000, 10**15)})
    >>> found[0].found + found[0].missed, len(found[0].delays), found[0].points
    (3, 3, 3000)
    """  # noqa: E501
    frame = frames[setting.frame]
    series = series_of(setting, frame, seed)
    if series is None:
        return [Outcome(name, setting, 0, 0, 0, (), 0, 0, 0.0) for name in candidates]
    times, values, labels = series
    prepare = Prepare(interval_ns=frame.interval, counter=setting.kind == "counter")
    prepared = prepare.step(prepare.start(), Raw.of(times, values)).points
    times, values = prepared.times, prepared.values[:, 0]
    events = windows(labels, times)
    found = []
    for name, candidate in candidates.items():
        begin = time.thread_time()
        said = score(candidate, times, values)
        spent = time.thread_time() - begin
        opened = judge(candidate, times, values, said, frame.one_in).opened
        counts: EventCounts = count_events(opened, events, len(times))
        late = tuple(delays(opened, events).tolist())
        span = int(times[-1] - times[0])
        promised = len(times) / frame.one_in
        found.append(
            Outcome(name, setting, counts.found, counts.missed, counts.false, late, len(times), span, promised, spent)
        )
    return found


def columns(outcomes: Sequence[Outcome]) -> Float64:
    """float64[series, 5]: found, missed, false alerts, promised alerts, span in ns."""
    rows = [(o.found, o.missed, o.false, o.promised, o.span_ns) for o in outcomes]
    return np.array(rows, np.float64).reshape(-1, 5)
