"""The work of a backtest: every series through every group of candidates, some at a time, none stopped by another."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.library.backtest.ledger import Ledger, key_of
from watchband.apps.library.backtest.scores import Keeper
from watchband.apps.library.backtest.spool import CHUNK_POINTS, Spool
from watchband.apps.library.feeds import Progress
from watchband.evaluation.backtest.contender import Contender, groups
from watchband.evaluation.backtest.outside import Outside
from watchband.evaluation.backtest.replay import ReplaySource, replay

if TYPE_CHECKING:
    from watchband.pipeline.results import Results

READING_BYTES = 16


@dataclass(frozen=True, slots=True)
class Failure:
    """A replay that could not be made, and why."""

    series: str
    candidate: str
    error: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What is to be replayed.

    Parameters
    ----------
    spool : Spool
        The readings.
    contenders : sequence of Contender
        What judges them.
    ledger : Ledger
        Where results are kept, and found again.
    code : str
        Fingerprint of the code.
    excluded : sequence of (int, int)
        Spans that are not learned.
    until : int, optional
        Readings from here on are not known.
    jobs : int
        Series replayed at the same time.
    scores : bool
        Keep what is said of every point.
    """

    spool: Spool
    contenders: Sequence[Contender]
    ledger: Ledger
    code: str
    excluded: Sequence[tuple[int, int]] = ()
    until: int | None = None
    jobs: int = 1
    scores: bool = True

    def key(self, number: int, contender: Contender) -> str:
        """Under which the replay of a series by a candidate is kept."""
        series = self.spool.series[number]
        until = self.until if self.until is not None and self.until <= series.last else None
        return key_of(self.code, series.digest, contender.text, repr(tuple(self.excluded)), str(until))

    def missing(self, number: int, group: Sequence[Contender]) -> list[Contender]:
        """Those of a group whose replay is not kept yet."""
        lacking = []
        for one in group:
            key = self.key(number, one)
            kept = self.ledger.find(key) is not None and (not self.scores or self.ledger.scores(key).exists())
            lacking += [] if kept else [one]
        return lacking

    def run(self, progress: Progress | None = None) -> list[Failure]:
        """Replay what is missing; failures are returned and stop nothing else."""
        tasks: list[tuple[int, list[Contender]]] = []
        for number in range(len(self.spool.series)):
            tasks += [(number, lacking) for g in groups(self.contenders) if (lacking := self.missing(number, g))]
        total = sum(self.spool.series[number].readings for number, _ in tasks) * READING_BYTES
        done, failures = 0, []
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="replay") as pool:
            futures: dict[Future[None], tuple[int, list[Contender]]] = {
                pool.submit(self.one, number, group): (number, group) for number, group in tasks
            }
            try:
                for future in as_completed(futures):
                    number, group = futures[future]
                    series = self.spool.series[number]
                    # Whatever a candidate of an outside package raises concerns this series and this candidate only.
                    if error := future.exception():
                        if not isinstance(error, Exception):
                            raise error
                        told = str(error) or type(error).__name__
                        failures += [Failure(str(series.key), one.name, told) for one in group]
                    done += series.readings * READING_BYTES
                    if progress:
                        progress("replaying", done, max(total, 1))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return sorted(failures, key=lambda f: (f.series, f.candidate))

    def one(self, number: int, group: Sequence[Contender]) -> None:
        """Replay one series for candidates that share a detector, and keep what comes of it."""
        series = self.spool.series[number]
        fresh = [one.fresh() for one in group]
        watches = [one.watch for one in fresh]
        # An outside function is asked once about everything, and not about all that came before, again and again.
        points = series.readings if isinstance(watches[0].detector, Outside) else CHUNK_POINTS
        source = ReplaySource(series.key, lambda: self.spool.chunks(number, max(points, 1)), self.until)
        with ExitStack() as stack:
            keepers = []
            for one in group:
                key = self.key(number, one)
                part = self.ledger.scores(key).with_suffix(".part") if self.scores else None
                keepers.append(stack.enter_context(Keeper(series.key, one.name, part)))

            def take(results: tuple[Results, ...]) -> None:
                for keeper, said in zip(keepers, results, strict=True):
                    keeper.take(said)

            replay(watches, source, MemoryStore(keep_log=False), excluded=self.excluded, observe=take)
        for one, keeper in zip(group, keepers, strict=True):
            self.ledger.commit(self.key(number, one), keeper.record(), keeper.part)
