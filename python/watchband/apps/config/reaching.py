"""Whether the other sides of sinks are there and may be used; nobody is told anything."""

from __future__ import annotations

import threading
import time

from watchband.apps.config.config import Config
from watchband.apps.config.findings import SinkTrial
from watchband.core.clock import Clock
from watchband.core.errors import WatchbandError
from watchband.core.telling import Verifying


class Reaching:
    """Asks every sink that can look without telling, each in a thread of its own.

    Parameters
    ----------
    config : Config
        Whose sinks.
    clock : Clock
        For the sinks.
    end : float
        Until when they may take, by ``time.monotonic``.
    """

    def __init__(self, config: Config, clock: Clock, end: float) -> None:
        self._end = end
        self._threads: list[threading.Thread] = []
        self.found: list[SinkTrial] = []
        for name, settings in config.sinks.items():
            trial = SinkTrial(name, settings.kind, error="it did not answer in the time it had")
            try:
                sink = settings.open(name, clock=clock)
            except WatchbandError as error:
                trial.error = str(error)
                self.found.append(trial)
                continue
            if isinstance(sink, Verifying):
                thread = threading.Thread(target=_look, args=(sink, trial), daemon=True)
                self.found.append(trial)
                self._threads.append(thread)
                thread.start()
            else:
                _close(sink)

    def finish(self) -> list[SinkTrial]:
        """What was found, once all have answered or time is up."""
        for thread in self._threads:
            thread.join(max(0.0, self._end - time.monotonic()))
        return self.found


def _look(sink: Verifying, trial: SinkTrial) -> None:
    try:
        said = sink.verify()
        trial.state, trial.said, trial.error = "there", said, ""
    except WatchbandError as error:
        trial.error = str(error)
    except Exception as error:
        trial.error = f"it failed: {type(error).__name__}"
    finally:
        _close(sink)


def _close(sink: object) -> None:
    close = getattr(sink, "close", None)
    if close is not None:
        close()
