"""Tasks: work that takes longer than a request may: few at a time, with progress, cancelled at will, kept for a while.

They live in this process alone: a restart ends those that run and forgets what they found, and says so.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from watchband.core.clock import Clock
from watchband.core.duration import HOUR
from watchband.core.errors import ConfigError, TransientError, WatchbandError

log = logging.getLogger("watchband.tasks")
WORKERS = 2
WAITING_MAX = 8
"""Tasks that wait for their turn; who comes then is asked to come again."""
KEPT_MAX = 30
KEPT_NS = 2 * HOUR
"""What a task found is kept so long, and of this many tasks."""
TELL_S = 0.5
PATIENCE_S = 5.0
"""So long a task that is cancelled may take to its next word, when the process ends."""
AGAIN_S = 10.0

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")


class CancelledError(Exception):
    """Somebody wants a task no longer; it is raised where the task tells its progress."""


class TasksFullError(TransientError):
    """Too many wait already."""

    def __init__(self) -> None:
        super().__init__(f"{WAITING_MAX} tasks wait already. Cancel one, or come again.", retry_after=AGAIN_S)


class NoTaskError(ConfigError):
    """There is no task of that id."""


@dataclass(frozen=True)
class Found:
    """What a task found: a document, or a file in its folder.

    Parameters
    ----------
    document : mapping, optional
        Plain data.
    file : Path, optional
        Goes away with the task.
    media, name : str
        What the file is, and how it is called where it is taken.
    """

    document: Mapping[str, Any] | None = None
    file: Path | None = None
    media: str = "application/json"
    name: str = ""


@dataclass
class Task:
    """One piece of work.

    Parameters
    ----------
    id, kind, title, by : str
        Which, what, in words, and who wanted it.
    made : int
        When, ns UTC.
    tell : callable
        Called when something of it changed.
    about : mapping of str to str
        What was asked, for who shows what it found.
    """

    id: str
    kind: str
    title: str
    by: str
    made: int
    tell: Callable[[], object] = field(default=lambda: None, repr=False)
    state: State = "waiting"
    phase: str = ""
    share: float = 0.0
    started: int = 0
    finished: int = 0
    error: str = ""
    found: Found | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    _began: float = 0.0
    _told: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def progress(self, phase: str, done: float, of: float) -> None:
        """Say how far it is: so many of so many, of the whole task.

        Raises
        ------
        CancelledError
            It is to end.
        """
        if self._stop.is_set():
            raise CancelledError
        fresh = phase != self.phase
        self.phase = phase
        # It never goes back: what is found on the way only makes the rest longer.
        self.share = max(self.share, min(done / of, 1.0) if of > 0 else 0.0)
        if fresh or time.monotonic() - self._told >= TELL_S:
            self._told = time.monotonic()
            self.tell()

    @property
    def eta_s(self) -> float | None:
        """Seconds until it is done, as far as it went until now; None where nobody can know."""
        if self.state != "running" or self.share <= 0.01:
            return None
        return (time.monotonic() - self._began) * (1 - self.share) / self.share

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to end and has not yet."""
        return self._stop.is_set() and self.state not in OVER


Work = Callable[[Task], Found]


class Tasks:
    """The tasks of a service.

    Parameters
    ----------
    clock : Clock
        Stamps them.
    tell : callable
        Called when something changed.
    folder : Path, optional
        Below it their files stand; what an earlier process left there is removed. Else where files pass by.
    """

    def __init__(self, clock: Clock, tell: Callable[[], object], folder: Path | None = None) -> None:
        self.clock, self._tell = clock, tell
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._pool = ThreadPoolExecutor(WORKERS, "task")
        self._folder, self._made = folder, False

    def start(self, kind: str, title: str, by: str, work: Work, about: Mapping[str, str] | None = None) -> Task:
        """Let some work begin, as soon as there is room.

        Raises
        ------
        TasksFullError
            Too many wait.
        """
        with self._lock:
            self._sweep()
            if sum(task.state == "waiting" for task in self._tasks.values()) >= WAITING_MAX:
                raise TasksFullError
            task = Task(f"t{secrets.token_hex(4)}", kind, title, by, self.clock.now(), self._tell, about=about or {})
            self._tasks[task.id] = task
        self._pool.submit(self._run, task, work)
        self._tell()
        return task

    def of(self, task: str) -> Task:
        """The task of an id.

        Raises
        ------
        NoTaskError
            There is none.
        """
        with self._lock:
            self._sweep()
            found = self._tasks.get(task)
        if found is None:
            raise NoTaskError(
                f"There is no task {task[:64]!r}. What a task found is kept for two hours, and only by the process "
                "that did it: a restart forgets all of them."
            )
        return found

    def all(self) -> list[Task]:
        """Every task that is known, the newest first."""
        with self._lock:
            self._sweep()
            return list(self._tasks.values())[::-1]

    def drop(self, task: str) -> Task:
        """Cancel a task that is not over, forget one that is.

        Raises
        ------
        NoTaskError
            There is none.
        """
        found = self.of(task)
        with self._lock:
            if found.state in OVER:
                self._forget(found)
            else:
                found._stop.set()
                if found.state == "waiting":
                    found.state, found.finished = "cancelled", self.clock.now()
        self._tell()
        return found

    def stop(self) -> None:
        """Cancel all of them, and wait a moment for those that run."""
        with self._lock:
            for task in self._tasks.values():
                task._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and any(task.state == "running" for task in self.all()):
            time.sleep(0.02)
        with self._lock:
            for task in list(self._tasks.values()):
                self._forget(task)
            if self._made and self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def room(self, task: Task) -> Path:
        """A folder for the files of a task, of its own; it goes away with it."""
        with self._lock:
            if not self._made:
                self._made = True
                if self._folder is None:
                    self._folder = Path(tempfile.mkdtemp(prefix="watchband-tasks-"))
                else:
                    shutil.rmtree(self._folder, ignore_errors=True)
            assert self._folder is not None
            task.folder = self._folder / task.id
            task.folder.mkdir(parents=True, mode=0o700)
            return task.folder

    def _run(self, task: Task, work: Work) -> None:
        with self._lock:
            if task.state != "waiting":
                return
            task.state, task.started, task._began = "running", self.clock.now(), time.monotonic()
        self._tell()
        state: State = "done"
        try:
            task.progress("starting", 0, 1)
            task.found = work(task)
            task.share = 1.0
        except CancelledError:
            state = "cancelled"
        except WatchbandError as error:
            state, task.error = "failed", str(error)
        except OSError as error:
            state, task.error = "failed", f"{error.strerror or error}. Is there room on the disk?"
        except Exception:
            log.exception("a task failed", extra={"task": task.id, "kind": task.kind})
            state, task.error = "failed", "An error of the server; its log says more."
        with self._lock:
            task.finished, task.state = self.clock.now(), state
            if state != "done":
                self._clear(task)
        self._tell()

    def _sweep(self) -> None:
        over = [task for task in self._tasks.values() if task.state in OVER]
        late = self.clock.now() - KEPT_NS
        for number, task in enumerate(over):
            if task.finished < late or number < len(over) - KEPT_MAX:
                self._forget(task)

    def _forget(self, task: Task) -> None:
        self._tasks.pop(task.id, None)
        self._clear(task)

    @staticmethod
    def _clear(task: Task) -> None:
        task.found = None
        if task.folder is not None:
            shutil.rmtree(task.folder, ignore_errors=True)
            task.folder = None


def beside(store: object) -> Path | None:
    """Where files of tasks stand: beside a store that has a directory; None where it has none."""
    path = getattr(store, "path", None)
    return None if path is None else Path(path) / "tasks"
