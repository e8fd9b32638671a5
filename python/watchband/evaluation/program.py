"""Outside programs as candidates: points go in as JSON lines, one score a line comes out."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import shlex
import subprocess
import tempfile
import threading
from types import TracebackType
from typing import IO

import numpy as np

from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Float64, Int64

LINE_BYTES_MAX = 1 << 16
_AHEAD = 1024
"""Points sent before the first of their answers is awaited, so that a program that reads in blocks is quick too."""


class Program:
    """A command that scores: for each line ``{"time": RFC 3339, "value": number or null}`` on its standard input it
    answers with one line, a number, ``null`` for no opinion, or an object with a ``score``.

    Parameters
    ----------
    command : str
        Split as a shell would; no shell runs it.
    answer_seconds : float, default 30
        Longest wait for an answer, also for the first one.
    total_seconds : float, default infinite
        Longest time for one series.

    Raises
    ------
    ConfigError
        An empty command, or a time limit that is not positive.

    Examples
    --------
    >>> import sys
    >>> program = Program(shlex.join([sys.executable, "-c", "for line in open(0): print(eval(line)['value'] * 2)"]))
    >>> program(np.array([0, 1_000_000_000]), np.array([1.5, 4.0])).tolist()
    [3.0, 8.0]
    """

    def __init__(self, command: str, answer_seconds: float = 30.0, total_seconds: float = math.inf) -> None:
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise ConfigError(f"The command {command!r} cannot be split into words: {error}.") from error
        if not self.words:
            raise ConfigError("exec: needs a command, for example exec:'python score.py'.")
        if not answer_seconds > 0 or not total_seconds > 0:
            raise ConfigError(f"A time limit must be > 0 seconds. Got {answer_seconds} and {total_seconds}.")
        self.command, self.answer_seconds, self.total_seconds = command, answer_seconds, total_seconds

    def __str__(self) -> str:
        return f"exec:{self.command}"

    __repr__ = __str__

    def __call__(self, times: Int64, values: Float64) -> Float64:
        """Scores of one series by a fresh process.

        Raises
        ------
        DataError
            The program cannot be started, ends early, is too slow, or answers with something else; what it wrote to its
            standard error is quoted.
        """
        with self.open() as session:
            return session.score_all(times, values)

    def open(self) -> Session:
        """A process of its own, for a series that is fed point by point."""
        return Session(self)


class Session:
    """One running process of a ``Program``; a context manager that ends it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the session)
        try:
            self._process = subprocess.Popen(
                program.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
            )
        except OSError as error:
            self._errors.close()
            raise DataError(f"{program} cannot be started: {error.strerror or error}.") from error
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        self._given = self._taken = 0
        self._writer: threading.Thread | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, by force if it does not end by itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._writer is not None and self._writer.is_alive():
            # It holds the pipe until somebody reads, or nobody can.
            self._process.kill()
            self._writer.join()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1.0)
        self._process.stdout.close()
        self._errors.close()

    def score(self, time: int, value: float) -> float:
        """One point, one answer."""
        self._send(_lines(np.array([time], np.int64), np.array([value])))
        self._given += 1
        return self._take(self._program.answer_seconds)

    def score_all(self, times: Int64, values: Float64) -> Float64:
        """A whole series; points are sent ahead of their answers, and the end of input is sent before the last ones."""
        scores = np.empty(len(times))
        writer = self._writer = threading.Thread(target=self._send_all, args=(times, values), daemon=True)
        deadline = _Deadline(self._program.total_seconds)
        writer.start()
        self._given += len(times)
        for i in range(len(times)):
            scores[i] = self._take(min(self._program.answer_seconds, deadline.left()))
        if self._answers.empty():
            # A program that answers without reading leaves the writer before a full pipe for ever.
            writer.join(min(self._program.answer_seconds, threading.TIMEOUT_MAX))
            if writer.is_alive() and self._answers.empty():
                raise self._problem("answered every point without reading them all")
        self._no_more()
        return scores

    def _send_all(self, times: Int64, values: Float64) -> None:
        assert self._process.stdin is not None
        try:
            for begin in range(0, len(times), _AHEAD):
                self._send(_lines(times[begin : begin + _AHEAD], values[begin : begin + _AHEAD]))
            self._process.stdin.close()
        except (DataError, OSError, ValueError):
            # The process has ended or was closed: whoever waits for its answer says so.
            return

    def _send(self, lines: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(lines)
            self._process.stdin.flush()
        except OSError as error:
            raise self._problem("ended before it read every point") from error

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := self._process.stdout.readline(LINE_BYTES_MAX):
                self._answers.put(line)
        except (OSError, ValueError):
            pass
        self._answers.put(None)

    def _take(self, seconds: float) -> float:
        place = f"answer {self._taken + 1} of {self._given}"
        try:
            line = self._answers.get(timeout=min(max(seconds, 0.001), threading.TIMEOUT_MAX))
        except queue.Empty:
            raise self._problem(
                f"gave no {place} within {seconds:g} s. It must answer every line at once; does it flush its output?"
            ) from None
        if line is None:
            # Its output ends a moment before it does.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
            raise self._problem(f"ended before {place}")
        self._taken += 1
        return self._number(line, place)

    def _number(self, line: bytes, place: str) -> float:
        try:
            found = json.loads(line)
        except ValueError:
            found = line.strip().decode("utf-8", "replace")
        if isinstance(found, dict):
            found = found.get("score", found)
        try:
            return math.nan if found is None else float(found)
        except (TypeError, ValueError):
            raise self._problem(f"gave {found!r:.60} as {place}; expected a number or null") from None

    def _no_more(self) -> None:
        """After the last answer there must be none."""
        try:
            line = self._answers.get(timeout=min(self._program.answer_seconds, threading.TIMEOUT_MAX))
        except queue.Empty:
            raise self._problem("did not end after its last answer") from None
        if line is not None:
            raise self._problem(f"gave more answers than the {self._given} points it was sent")
        if code := self._process.wait():
            raise self._problem(f"ended with exit code {code}")

    def _problem(self, what: str) -> DataError:
        code = self._process.poll()
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 500))
        said = " ".join(self._errors.read().decode("utf-8", "replace").split())
        ended = f" It ended with exit code {code}." if code and "exit code" not in what else ""
        told = f" It said: {said}" if said else ""
        return DataError(f"{self._program} {what}.{ended}{told}")


class _Deadline:
    def __init__(self, seconds: float) -> None:
        import time

        self._now = time.monotonic
        self._end = self._now() + seconds

    def left(self) -> float:
        return self._end - self._now()


def _lines(times: Int64, values: Float64) -> bytes:
    texts = np.datetime_as_string(times.view("M8[ns]"), unit="ns")
    return "".join(
        f'{{"time": "{time}Z", "value": {"null" if math.isnan(value) else _json_number(value)}}}\n'
        for time, value in zip((t.rstrip("0").rstrip(".") for t in texts.tolist()), values.tolist(), strict=True)
    ).encode()


def _json_number(value: float) -> str:
    return json.dumps(value) if math.isfinite(value) else "null"
