"""What every source keeps, as checks. ``check_source`` runs them all; authors of other sources run it on theirs.

Each check takes a function that makes a ``Rig``: an outside world with known readings in it, some of them bad, and the
settings of a source that reads it. What faults an outside can have, it says itself; a source on the network has all.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from watchband.core import params
from watchband.core.clock import SystemClock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, PermanentError, UnknownNameError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Source
from watchband.testing.contracts.source_rig import (
    HUGE,
    PERMANENT,
    RETRY_AFTER_S,
    TRANSIENT,
    Play,
    Reading,
    Rig,
    readings_of,
    same,
    within,
)

Make = Callable[[], Rig]
Check = Callable[[Make], None]
CLOSE_S = 10.0
"""Long enough for a busy machine; a second or two is what the port says."""


def check_reads(make: Make) -> None:
    """Everything is read once, in time order within a series, in arrays of the right kinds."""
    rig = make()
    try:
        play = Play(rig).run()
        for batch in play.kept:
            for one in batch.readings:
                assert one.times.dtype == np.int64, f"times are {one.times.dtype}"
                assert one.values.dtype == np.float64, f"values are {one.values.dtype}"
                assert one.times.ndim == 1, "times of one axis"
                assert one.times.shape == one.values.shape, "one value a time"
        same(play.readings, rig.expected, "an undisturbed run")
        wanted, found = _series(rig.expected), _series(play.readings)
        for series, times in wanted.items():
            assert found[series] == times, f"{series} came in another order"
        assert all(b.position for b in play.kept if b.readings) or not rig.resumes, "readings without a position"
    finally:
        rig.close()


def check_resumes(make: Make) -> None:
    """A restart after any batch, or in the middle of the next, neither repeats nor skips; nor does one after each."""
    first = make()
    try:
        if not first.resumes:
            return
        batches = len(Play(first).run().kept)
    finally:
        first.close()
    assert batches >= 3, f"this rig gives {batches} batches: too few to restart between"
    cuts = [_each_batch("restart"), lambda kept: "lose" if kept % 2 else "restart"]
    # A batch that is lost on the way is read again, as one that never came.
    cuts += [_at(k, "lose") for k in range(1, batches)]
    for number, cut in enumerate(cuts):
        rig = make()
        try:
            same(Play(rig, cut).run().readings, rig.expected, f"restart {number} of {len(cuts)}")
        finally:
            rig.close()


def check_goes_on(make: Make) -> None:
    """From the last position only what is new comes."""
    rig = make()
    try:
        play = Play(rig).run()
        if not rig.resumes:
            return
        before, known = len(play.readings), len(rig.expected)
        rig.more()
        assert len(rig.expected) > known, "this rig has nothing more"
        play.run()
        same(play.readings[before:], rig.expected[known:], "reading from the last position")
    finally:
        rig.close()


def check_watermark(make: Make) -> None:
    """A watermark says what is so: it never goes back, and no reading older than it comes after it."""
    for restart in ("", "restart"):
        rig = make()
        try:
            play = Play(rig, _each_batch(restart if rig.resumes else "")).run()
            mark = -(2**63)
            for number, batch in enumerate(play.kept):
                for series, time, _ in readings_of(batch):
                    assert time >= mark, f"{series} has a reading of {time} behind the watermark {mark}"
                marks = [event.time for event in batch.events if isinstance(event, WatermarkMoved)]
                assert [mark, *marks] == sorted([mark, *marks]), f"batch {number} moves it back"
                mark = max([mark, *marks])
        finally:
            rig.close()


def check_history(make: Make) -> None:
    """The past of a first start is history, what comes after is not, and a restart changes nothing of it."""
    for restart in ("", "restart"):
        rig = make()
        try:
            play = Play(rig, _each_batch(restart if rig.resumes else "")).run()
            for batch in play.kept:
                for series, time, _ in readings_of(batch):
                    past = time < rig.history_until
                    assert batch.history == past, f"{series} at {time}: history is {batch.history}, expected {past}"
        finally:
            rig.close()


def check_bad(make: Make) -> None:
    """A bad item stops no other, and is counted in ``refused``."""
    rig = make()
    try:
        if rig.bad:
            play = Play(rig).run()
            same(play.readings, rig.expected, "reading beside bad items")
            refused = getattr(play.source, "refused", None)
            assert refused == rig.bad, f"{rig.bad} bad items are outside, 'refused' of the source is {refused}"
    finally:
        rig.close()


def check_closes(make: Make) -> None:
    """``close`` from another thread ends ``read``: before it, while it waits for an answer, and for what is new."""
    rig = make()
    try:
        source = rig.open()
        source.close()
        given_up = threading.Event()
        within(lambda: _spent(source, given_up), "read after close", given_up.set)
        for clock in (rig.clock, SystemClock()):
            waiting = rig.open(clock)
            reader = threading.Thread(target=_drain, args=(waiting,), daemon=True)
            reader.start()
            reader.join(0.3)
            waiting.close()
            waiting.close()
            reader.join(CLOSE_S)
            assert not reader.is_alive(), f"close does not end read within {CLOSE_S:g} s"
    finally:
        rig.close()


def check_faults(make: Make) -> None:
    """What fails for a while costs nothing but time; what does not pass is told; a Retry-After is kept."""
    for fault in (*TRANSIENT, *PERMANENT, HUGE):
        for at in (0, 1):
            rig = make()
            try:
                if fault in rig.faults:
                    _survives(rig, fault, at)
            finally:
                rig.close()


def _survives(rig: Rig, fault: str, at: int) -> None:
    def strike(kept: int) -> str:
        if kept == at:
            rig.fail(fault)
        return "restart" if kept == at else ""

    if not at:
        rig.fail(fault)
    asked = len(rig.requests)
    play = Play(rig, strike if at else lambda kept: "").run()
    if fault in PERMANENT:
        assert play.errors, f"{fault} is told to nobody"
        assert isinstance(play.errors[-1], PermanentError), f"{fault} is no PermanentError: {play.errors[-1]!r}"
        assert fault in str(play.errors[-1]), f"the error does not say {fault}: {play.errors[-1]}"
    play.run()
    if fault == HUGE and play.errors:
        play.run()
    same(play.readings, rig.expected, f"{fault} after {at} batches")
    if fault == "429":
        times = rig.requests[asked:]
        longest = max((b - a for a, b in pairwise(times)), default=0)
        assert longest >= RETRY_AFTER_S * SECOND, f"Retry-After: {RETRY_AFTER_S} was not waited for"


def check_secret(make: Make) -> None:
    """No secret in errors, logs or what settings print, even where the outside repeats it."""
    probe = make()
    faults = probe.faults if probe.secret else ()
    probe.close()
    for fault in faults:
        rig = make()
        kept = _Kept()
        logger = logging.getLogger("watchband")
        level = logger.level
        logger.addHandler(kept)
        logger.setLevel(logging.DEBUG)
        try:
            rig.fail(fault)
            play = Play(rig).run()
            shown = [*kept.lines, repr(rig.settings), repr(play.source), *map(_told, play.errors)]
            for text in shown:
                assert rig.secret not in text, f"the secret shows after {fault}: {text.replace(rig.secret, '(it)')}"
        finally:
            logger.removeHandler(kept)
            logger.setLevel(level)
            rig.close()


def check_settings(make: Make) -> None:
    """Settings are declared parameters: they print, describe themselves, and come back from what they say."""
    rig = make()
    try:
        kind = type(rig.settings)
        declared = params.params_of(kind)
        assert isinstance(getattr(kind, "kind", None), str), "settings have a kind"
        json.dumps(params.schema(kind))
        assert all(p.doc for p in declared.values()), "a parameter without a word of what it is"
        values = params.values_of(rig.settings)
        assert params.build(kind, values) == rig.settings, "settings made of their own values differ"
        try:
            params.build(kind, {**values, "no_such_key": 1})
        except UnknownNameError:
            pass
        else:
            raise AssertionError("an unknown key is taken")
        assert rig.open().name == "rig", "a source has the name that it was opened by"
    finally:
        rig.close()


def check_untouched(make: Make) -> None:
    """Opening touches nothing outside, nor does ``read`` before its first batch is asked for."""
    rig = make()
    try:
        source = rig.open()
        source.read(None)
        assert not rig.requests, f"{len(rig.requests)} requests before anything was read"
        source.close()
    finally:
        rig.close()


CHECKS: Mapping[str, Check] = {
    "reads": check_reads,
    "resumes": check_resumes,
    "goes_on": check_goes_on,
    "watermark": check_watermark,
    "history": check_history,
    "bad": check_bad,
    "closes": check_closes,
    "faults": check_faults,
    "secret": check_secret,
    "settings": check_settings,
    "untouched": check_untouched,
}


def check_source(make: Make) -> None:
    """Every check, each on an outside of its own.

    Raises
    ------
    AssertionError
        The first promise that is not kept.
    """
    for name, check in CHECKS.items():
        try:
            check(make)
        except AssertionError as error:
            raise AssertionError(f"This source breaks '{name}': {error}") from error


class _Kept(logging.Handler):
    """Keeps what is logged, with tracebacks."""

    formatter_text: ClassVar[logging.Formatter] = logging.Formatter()

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.formatter_text.format(record))


def _told(error: BaseException) -> str:
    """An error with everything that hangs on it and that a traceback prints."""
    chain: list[Any] = []
    at: BaseException | None = error
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "\n".join(f"{one} {one!r}" for one in chain)


def _spent(source: Source, given_up: threading.Event) -> None:
    """Read to the end, or until nobody waits for it any more."""
    for batch in source.read(None):
        if given_up.is_set():
            return
        del batch


def _drain(source: Source) -> None:
    try:
        for _ in source.read(None):
            pass
    except AdapterError:
        return


def _each_batch(action: str) -> Callable[[int], str]:
    return lambda kept: action


def _at(batch: int, action: str) -> Callable[[int], str]:
    return lambda kept: action if kept == batch else ""


def _series(readings: Sequence[Reading]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for series, time, _ in readings:
        found.setdefault(series, []).append(time)
    return found
