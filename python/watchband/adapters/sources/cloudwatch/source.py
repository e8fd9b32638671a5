"""The source: finds metrics, reads their past, then what settles, and asks again for what came late."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.adapters.aws.failure import DeniedError
from watchband.adapters.sources.cloudwatch.batches import Job, jobs_of, memory_of, of_track, queries_of
from watchband.adapters.sources.cloudwatch.client import Client, Result
from watchband.adapters.sources.cloudwatch.cost import Asked, Estimate, estimate
from watchband.adapters.sources.cloudwatch.discovery import Found, discovered
from watchband.adapters.sources.cloudwatch.names import key_of
from watchband.adapters.sources.cloudwatch.schedule import Schedule
from watchband.adapters.sources.cloudwatch.tracks import Place, Track, position_of, read_position
from watchband.core.clock import Clock
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import AdapterError, PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch, Readings

if TYPE_CHECKING:
    from watchband.adapters.sources.cloudwatch.settings import CloudWatch

log = logging.getLogger("watchband.source.cloudwatch")
_SILENT = logging.Logger("watchband.silent", logging.CRITICAL + 1)
BATCH_POINTS = 50_000
"""Readings after which a batch is handed over."""
NAP_S, LOOK_S = 0.5, 0.25
WAIT_FIRST, WAIT_MOST = 5 * SECOND, 10 * MINUTE
PATIENCE = 3
"""Times that an answer with a part of the data is asked for again before that part is taken."""
HELD_BACK = 10
"""Failures in a row after which a series no longer holds back the watermark of the others."""
SERIES_OF_EXPRESSION = 100
_TOLD = 5


class CloudWatchSource:
    """Pulls statistics of metrics, and metric math, in full calls.

    A reading stands at the beginning of its period and is asked for ``lateness`` after the period's end. Each question
    also covers ``look_back``: a reading that came only now, or has another value now, is handed over behind the
    watermark, so it is kept and counted and never judged twice.

    Parameters
    ----------
    name : str
        Of the source.
    settings : CloudWatch
        What is read, and how.
    client : Client
        Who asks.
    clock : Clock
        What time it is, and who waits.

    Attributes
    ----------
    problems : dict of str to str
        Series that fail at present, and by what; at most some hundred.
    warnings : dict of str to str
        What else was remarked.
    refused : int
        Results that could not be read.
    revised : int
        Readings that came late or changed after they were handed over.
    cost : Estimate or None
        What a month costs; None before the metrics are known.

    Guarantees
    ----------
    Delivery : every reading of every series at least once, in order of time within a series, but for what CloudWatch
    itself delivers late. A series that fails keeps its place; the others go on.
    """

    def __init__(self, name: str, settings: CloudWatch, client: Client, *, clock: Clock) -> None:
        self.name, self.problems, self.warnings = name, dict[str, str](), dict[str, str]()
        self.refused = self.revised = 0
        self.cost: Estimate | None = None
        self._settings, self._client, self._clock = settings, client, clock
        self._schedule = Schedule(settings)
        self._tracks: dict[str, Track] = {}
        self._kept: dict[str, tuple[Place, dict[str, Place]]] = {}
        self._listed = self._mark = -(2**62)
        self._closed = threading.Event()
        self._log: logging.Logger = log
        self._region = ""

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """Batches from behind ``position``, or from the backfill's begin; waits for what is new until ``close``.

        Raises
        ------
        TransientError
            Nothing was answered; ``retry_after`` if AWS says when.
        PermanentError
            Nothing can be answered: credentials, permissions, or it would cost more than is allowed.
        """
        self._resume(position)
        with self._pool() as pool:
            while not self._closed.is_set():
                self._discover()
                yield from self._round(pool)
                self._check()
                self._wait()

    def close(self) -> None:
        """End ``read`` within a second; questions under way are given up."""
        self._closed.set()
        self._client.close()

    def history(self) -> Iterator[Batch]:
        """The backfill alone, then the end; it raises instead of logging.

        Raises
        ------
        TransientError, PermanentError
            A series failed; nothing is left out silently.
        """
        self._log = _SILENT
        self._resume(None)
        with self._pool() as pool:
            self._discover()
            while self._behind() and not self._closed.is_set():
                yield from self._round(pool)
                for track in self._tracks.values():
                    if track.error is not None and (track.failures > PATIENCE or track.seen >= track.news):
                        raise track.error
                if self._behind():
                    self._wait()

    def _pool(self) -> ThreadPoolExecutor:
        return _Pool(self._settings.concurrency, thread_name_prefix=f"cloudwatch {self.name}")

    def _resume(self, position: str | None) -> None:
        self._tracks, self._kept = {}, {}
        self._listed = self._mark = -(2**62)
        if position:
            try:
                self._kept = read_position(position)
            except ValueError as error:
                log.warning("%s: the kept position is none of this source (%s); it begins anew", self.name, error)

    def _discover(self) -> None:
        """Look for metrics where it is time to; what is known goes on where looking fails."""
        now = self._clock.now()
        if now < self._listed + self._settings.discover_every:
            return
        try:
            found = discovered(self._settings, self._client)
            self._region = self._client.region
        except AdapterError as error:
            if not self._tracks:
                raise
            self._log.warning("%s: looking for metrics failed, those known go on: %s", self.name, error)
            self.warnings["discovery"] = str(error)
            self._listed = now - self._settings.discover_every + MINUTE
            return
        self._listed = now
        self._priced(found)
        for one, track in found.tracks.items():
            known = self._tracks.get(one)
            if known is None or known.entry != track.entry:
                track.place(self._place(track, now))
                self._tracks[one] = track
        for one, track in self._tracks.items():
            track.active = one in found.tracks
        self._say(found)

    def _place(self, track: Track, now: int) -> Place:
        """Where a series begins: where it stood, or with its past."""
        begin = self._schedule.begin(track, now)
        usual, others = self._kept.get(track.entry, (begin, {}))
        return others.get(track.id, usual)

    def _priced(self, found: Found) -> None:
        """Say what it will cost, and refuse where that is too much, before anything is paid for."""
        settings = self._settings
        groups: dict[int, list[Track]] = {}
        for track in found.tracks.values():
            groups.setdefault(self._schedule.every(track), []).append(track)
        self.cost = estimate(
            (Asked(len(some), sum(t.metrics for t in some), every) for every, some in groups.items()),
            listings=found.listings,
            listed_every=settings.discover_every,
            backfill=settings.backfill > 0,
            price=settings.price_per_1000,
            at_least=any("SEARCH" in str(t.query.get("Expression", "")) for t in found.tracks.values()),
        )
        most = settings.max_monthly_cost
        if most is not None and self.cost.monthly > most:
            raise PermanentError(
                f"Reading would cost more than 'max_monthly_cost', ${most:,.2f}: {self.cost}. Nothing was read. Match "
                "fewer metrics or statistics, ask more rarely ('every'), take a longer 'period', or raise the limit."
            )

    def _say(self, found: Found) -> None:
        said = {
            "cost": str(self.cost) if found.tracks else "",
            "left out": f"{found.left_out:,} series are beyond 'max_metrics'." if found.left_out else "",
            "twice": f"{found.twice:,} series are in two entries; the first counts." if found.twice else "",
            "empty": f"No metric fits {', '.join(found.empty)}." if found.empty else "",
            "discovery": "",
        }
        for about, text in said.items():
            if text and text != self.warnings.get(about):
                self._log.log(logging.INFO if about == "cost" else logging.WARNING, "%s: %s", self.name, text)
        self.warnings = {about: text for about, text in said.items() if text and about != "cost"}
        self.problems = {k: v for k, v in self.problems.items() if any(t.active and t.name == k for t in self._all())}

    def _all(self) -> Iterable[Track]:
        return self._tracks.values()

    def _active(self) -> list[Track]:
        return [track for track in self._tracks.values() if track.active]

    def _behind(self) -> bool:
        return any(track.seen < track.news for track in self._active())

    def _todo(self, now: int) -> Iterator[tuple[Track, int]]:
        """Series that are due, with the time up to which each is to be read."""
        for track in self._active():
            goal = self._schedule.goal(track, now)
            if track.due <= now and (track.seen < track.news or goal - track.seen >= self._schedule.every(track)):
                yield track, goal

    def _round(self, pool: ThreadPoolExecutor) -> Iterator[Batch]:
        """What is due, in batches; the watermark with the last of them."""
        parts: list[Readings] = []
        points, history, moved, before = 0, False, False, ""
        for job, outcome in self._answers(pool, list(jobs_of(self._todo(self._clock.now()), self._settings.look_back))):
            fresh = self._taken(job, outcome)
            if isinstance(outcome, AdapterError):
                continue
            count = sum(len(one.times) for one in fresh)
            if moved and (job.history != history or points + count > BATCH_POINTS):
                # The readings are of answers that were noted before this one: their places are not in it.
                yield Batch(parts, before, (), history)
                parts, points = [], 0
            parts += fresh
            points += count
            history, moved, before = job.history, True, position_of(self._active())
        if moved:
            mark = self._watermark()
            events = [WatermarkMoved(mark)] if not history and mark > self._mark else []
            self._mark = max(self._mark, mark)
            yield Batch(parts, before, events, history)

    def _answers(self, pool: ThreadPoolExecutor, jobs: Sequence[Job]) -> Iterator[tuple[Job, Any]]:
        """Each job with its results by id, or its error; one that is refused is halved to find the culprit."""
        waiting = deque(jobs)
        asked: deque[tuple[Job, Future[Any]]] = deque()
        while (waiting or asked) and not self._closed.is_set():
            while waiting and len(asked) < 2 * self._settings.concurrency:
                job = waiting.popleft()
                asked.append((job, pool.submit(self._client.metric_data, queries_of(job), job.first, job.end)))
            job, future = asked.popleft()
            outcome = self._outcome(future)
            if isinstance(outcome, PermanentError) and not isinstance(outcome, DeniedError) and len(job.tracks) > 1:
                waiting.extendleft(reversed(job.halves()))
                continue
            if outcome is not None:
                yield job, outcome
            if isinstance(outcome, DeniedError):
                # Whoever is not let in need not ask five hundred times.
                for other in [one for one, _ in asked] + list(waiting):
                    yield other, outcome
                return

    def _outcome(self, future: Future[Any]) -> Any:
        while not self._closed.is_set():
            try:
                return future.result(LOOK_S)
            except FutureTimeout:
                continue
            except AdapterError as error:
                return error
        return None

    def _taken(self, job: Job, outcome: Any) -> list[Readings]:
        """What is new in an answer; every series of it moves on, or keeps its place and waits."""
        found: list[Readings] = []
        for number, track in enumerate(job.tracks):
            if isinstance(outcome, AdapterError):
                self._failed(track, outcome)
                continue
            results: list[Result] = of_track(outcome, number)
            statuses = {one.status for one in results} or {"Missing" if track.key is not None else "Complete"}
            if statuses & {"InternalError", "Missing"}:
                told = "; ".join(one.told for one in results if one.told)
                self._failed(track, TransientError(f"CloudWatch could not compute it. {told}".strip()))
                continue
            if "Forbidden" in statuses:
                self._failed(track, DeniedError("CloudWatch does not let this account read it (Forbidden)."))
                track.seen = max(track.seen, job.last)
                continue
            if "PartialData" in statuses and track.partial < PATIENCE:
                track.partial += 1
                self._failed(track, TransientError("CloudWatch answered with a part of the data (PartialData)."))
                continue
            found += self._readings(track, results, job)
            self._answered(track, job.last)
        return found

    def _readings(self, track: Track, results: Sequence[Result], job: Job) -> Iterator[Readings]:
        memory = memory_of(self._settings.look_back, track.period)
        if len(results) > SERIES_OF_EXPRESSION:
            self.refused += len(results) - SERIES_OF_EXPRESSION
        several = len(results) > 1 or "SEARCH" in str(track.query.get("Expression", ""))
        for one in results[:SERIES_OF_EXPRESSION]:
            pairs = dict(zip(one.times, one.values, strict=True))
            times, late = track.take(one.label if several else "", pairs.items(), job.last, memory)
            self.revised += late
            if not times:
                continue
            key = track.key or key_of(
                track.name,
                [("label", one.label)] if several and one.label else [],
                namespace="",
                stat="",
                region=self._region,
            )
            yield Readings(key, np.array(times, np.int64), np.array([pairs[t] for t in times]))

    def _answered(self, track: Track, last: int) -> None:
        if track.error is not None:
            self._log.info("%s: %s answers again", self.name, track.name)
        track.seen = max(track.seen, last)
        track.failures = track.partial = 0
        track.error = None
        self.problems.pop(track.name, None)

    def _failed(self, track: Track, error: AdapterError) -> None:
        """Leave a series alone for a while; its place stays."""
        wait = min(WAIT_FIRST << min(track.failures, 10), WAIT_MOST)
        if isinstance(error, PermanentError):
            wait = WAIT_MOST
        elif isinstance(error, TransientError) and error.retry_after is not None:
            wait = min(max(round(error.retry_after * SECOND), SECOND), 6 * WAIT_MOST)
        track.failures += 1
        track.due = self._clock.now() + wait
        if track.error is None or str(track.error) != str(error):
            self._log.warning("%s: %s failed: %s", self.name, track.name, error)
        track.error = error
        if len(self.problems) < SERIES_OF_EXPRESSION:
            self.problems[track.name] = str(error)

    def _check(self) -> None:
        """Raise where nothing was answered, so that whoever reads waits, and says so."""
        tracks = self._active()
        errors = [track.error for track in tracks if track.error is not None]
        if not errors or len(errors) < len(tracks) or self._closed.is_set():
            return
        if any(track.partial for track in tracks):
            # Whoever comes anew forgets how often a part of the data came.
            return
        words = "; ".join(dict.fromkeys(str(error) for error in errors[: 100 * _TOLD]).keys())[:1000]
        text = f"No metric of source {self.name!r} was answered. {words}"
        if all(isinstance(error, PermanentError) for error in errors):
            raise PermanentError(text)
        waits = [e.retry_after for e in errors if isinstance(e, TransientError) and e.retry_after is not None]
        raise TransientError(text, retry_after=max(waits, default=None))

    def _watermark(self) -> int:
        """Up to here everything was seen; far back while a series is still in its past."""
        tracks = [t for t in self._active() if t.failures < HELD_BACK and not isinstance(t.error, DeniedError)]
        if any(track.seen < track.news for track in tracks):
            return self._mark
        return min((track.seen for track in tracks), default=self._mark)

    def _wait(self) -> None:
        """Until the next reading settles, a series that failed may be asked again, or it is time to look for others."""
        nexts = [self._listed + self._settings.discover_every]
        for track in self._active():
            past = track.seen < track.news
            settles = 0 if past else track.seen + self._schedule.every(track) + self._schedule.delay(track)
            nexts.append(max(track.due, settles))
        until = min(nexts)
        while not self._closed.is_set() and (left := until - self._clock.now()) > 0:
            self._clock.sleep(min(NAP_S, left / SECOND))


class _Pool(ThreadPoolExecutor):
    """Leaves without waiting for questions under way: they end by their own timeout."""

    def __exit__(self, *args: Any) -> None:
        self.shutdown(wait=False, cancel_futures=True)
