"""Runs the robustness matrix on threads, keeps every outcome as it comes, and goes on where it was stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchband import __version__
from watchband.core.errors import ConfigError
from watchband.evaluation.candidate import Candidate, candidate
from watchband.evaluation.robustness.matrix import Frame, Setting, frames, matrix
from watchband.evaluation.robustness.run import Outcome, run_setting

DETECTORS = ("auto", "novelty", "light", "seasonal_band", "rolling_zscore", "ewma")
"""What is compared if nobody says what: the presets, the band by itself, and two simple baselines."""
SMALL_DETECTORS = ("auto", "light", "ewma")
RUNS = "runs.jsonl"
FORM = 1

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Job:
    """What is to be tried.

    Parameters
    ----------
    detectors : sequence of str
        As ``candidate`` reads them.
    only : mapping of str to sequence of str
        Names that an axis is limited to.
    small, cross, replicas
        As in ``matrix``.
    seed : int
        Another seed, other series.
    budget : int, optional
        ns for which one alert is promised, in every time frame.
    """

    detectors: Sequence[str] = DETECTORS
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    small: bool = False
    cross: bool = False
    replicas: int = 1
    seed: int = 0
    budget: int | None = None

    @property
    def frames(self) -> dict[str, Frame]:
        """Time frames with their lengths and budgets."""
        return frames(small=self.small, budget=self.budget)

    @property
    def settings(self) -> list[Setting]:
        """The series that are tried."""
        return matrix(self.only, small=self.small, cross=self.cross, replicas=self.replicas)

    @property
    def fixed(self) -> dict[str, Any]:
        """What outcomes in one folder must have in common."""
        shapes = {name: [f.interval, f.points, f.budget] for name, f in self.frames.items()}
        return {"form": FORM, "version": __version__, "seed": self.seed, "frames": shapes}


def run(job: Job, folder: Path | None = None, *, jobs: int | None = None, tell: Tell | None = None) -> list[Outcome]:
    """All outcomes, those that the folder already holds among them.

    Parameters
    ----------
    job : Job
        What is tried.
    folder : Path, optional
        Where each outcome is written as soon as it is there; outcomes in it are not made again.
    jobs : int, optional
        Series at a time; default one a core.
    tell : callable, optional
        Told of progress.

    Raises
    ------
    ConfigError
        The folder holds outcomes of another version, seed, length or budget; or a detector that there is none of.
    """
    candidates = {name: candidate(name) for name in dict.fromkeys(job.detectors)}
    wanted = [(name, setting) for setting in job.settings for name in candidates]
    ledger = _Ledger(folder, job.fixed) if folder else None
    known = {(o.detector, o.setting): o for o in (ledger.read() if ledger else ())}
    left: dict[Setting, dict[str, Candidate]] = {}
    for name, setting in wanted:
        if (name, setting) not in known:
            left.setdefault(setting, {})[name] = candidates[name]
    done, total = len(job.settings) - len(left), len(job.settings)
    for outcomes in _each(left, job, jobs or len(os.sched_getaffinity(0))):
        if ledger:
            ledger.add(outcomes)
        known |= {(o.detector, o.setting): o for o in outcomes}
        done += 1
        if tell:
            tell(str(outcomes[0].setting).rpartition("/")[0], done, total)
    return [known[key] for key in wanted]


def _each(left: Mapping[Setting, Mapping[str, Candidate]], job: Job, jobs: int) -> Iterator[list[Outcome]]:
    shapes = job.frames
    if jobs == 1:
        yield from (run_setting(s, some, shapes, job.seed) for s, some in left.items())
        return
    # The kernels let go of the interpreter, so threads are enough. Long series first, so that none is left for the end.
    order = sorted(left, key=lambda s: -shapes[s.frame].points)
    with ThreadPoolExecutor(jobs, thread_name_prefix="robustness") as pool:
        waiting = [pool.submit(run_setting, s, left[s], shapes, job.seed) for s in order]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()


@dataclass(frozen=True)
class _Ledger:
    """One line an outcome, behind a first line that says of what."""

    folder: Path
    fixed: Mapping[str, Any]

    @property
    def path(self) -> Path:
        return self.folder / RUNS

    def read(self) -> list[Outcome]:
        if not self.path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(self.fixed) + "\n", encoding="utf-8")
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")
        # Compared as text: a first line may be anything.
        if lines[0] != json.dumps(self.fixed):
            raise ConfigError(
                f"{self.path} holds runs of another version, seed, length or budget. Choose another folder with --out, "
                "or begin again with --fresh."
            )
        # What was cut off while it was written is made again.
        whole = lines[1:-1]
        if lines[-1]:
            self.path.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
        return [Outcome.of_json(json.loads(line)) for line in whole]

    def add(self, outcomes: Iterable[Outcome]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(o.as_json()) + "\n" for o in outcomes))
