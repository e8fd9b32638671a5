"""Reload: another configuration for a running service; what did not change goes on with all it knows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watchband.apps.config.config import Config
from watchband.apps.service.inflow import latenesses
from watchband.core.errors import ConfigError, TransientError
from watchband.pipeline.bound import Ahead, Bound

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

log = logging.getLogger("watchband.reload")
APPLY_S = 600.0
"""How long the engine may take to exchange watches; it folds what came while the new ones caught up."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload did.

    Parameters
    ----------
    hash : str
        Of the configuration that runs now.
    changed : dict of str to list of str
        What is new, other or gone, by section: ``{"watches": ["+web", "~db", "-old"]}``.
    restart_needed : list of str
        Sections whose change waits for a restart.
    """

    hash: str
    changed: dict[str, list[str]] = field(default_factory=dict)
    restart_needed: list[str] = field(default_factory=list)


class Reloader:
    """Reads the configuration again and applies it, one at a time.

    Parameters
    ----------
    service : Service
        What runs.
    read : callable or None
        Reads the configuration; None: there is nothing to read.
    """

    def __init__(self, service: Service, read: Callable[[], Config] | None) -> None:
        self.service, self.read = service, read
        self.done = self.failed = 0
        self.error = ""
        self.success = service.clock.now()
        self._lock = threading.Lock()

    def reload(self) -> Reloaded:
        """Read and apply.

        Raises
        ------
        ConfigError
            The new one is no good: the old one runs on, and ``error`` says why.
        WatchbandError
            The store failed while watches were exchanged; the old ones run on.
        """
        with self._lock:
            try:
                if self.read is None:
                    raise ConfigError("This service was started without a file to read again.")
                if self.service.phase != "running":
                    raise ConfigError(f"The service is {self.service.phase}. Reload it when it runs.")
                found = self.apply(self.read())
            except Exception as error:
                self.failed += 1
                self.error = str(error)
                self.service.changes.note("configuration")
                log.error("the configuration was not reloaded, the old one runs on: %s", error)
                raise
            self.done += 1
            self.error, self.success = "", self.service.clock.now()
            self.service.changes.note("configuration")
            log.info("the configuration was reloaded", extra={"hash": found.hash, "changed": found.changed})
            return found

    def apply(self, config: Config) -> Reloaded:
        """Go over to another configuration."""
        old = self.service.config
        changed = {
            section: found
            for section in ("sources", "expressions", "watches", "sinks")
            if (found := differences(getattr(old, section), getattr(config, section)))
        }
        if old.risk != config.risk or self.service.runner.labelling != config.risk.making:
            changed["risk"] = ["~model"]
        # The store and the door cannot be exchanged under way.
        restart = [name for name in ("store", "server", "engine") if getattr(old, name) != getattr(config, name)]
        self._sinks_and_watches(old, config)
        if self.service.phase != "running":
            raise ConfigError("The service ends. The next start has the new configuration.")
        self.service.inflow.change(old, config)
        self.service.config = config
        self.service.restart_needed = restart
        return Reloaded(config.hash, changed, restart)

    def _sinks_and_watches(self, old: Config, config: Config) -> None:
        service = self.service
        before = service.courier.sinks
        # First all that may be refused, then what changes anything.
        sinks = {
            name: before[name] if old.sinks.get(name) == settings else settings.open(name, clock=service.clock)
            for name, settings in config.sinks.items()
        }
        bounds = service.bounds(config)
        known = {b.name: b.fingerprint for b in service.runner.bounds}
        ahead = {b.name: service.runner.ahead(b) for b in bounds if known.get(b.name) != b.fingerprint}
        # A sink is there before a watch tells it, and leaves after the last one did.
        service.courier.exchange({**before, **sinks}.values())
        try:
            applied = service.engine.call(lambda: self._rebind(config, bounds, ahead))
            try:
                applied.result(APPLY_S)
            except TimeoutError:
                # It must not happen behind the back of who was told that it failed; once begun it is waited for.
                if applied.cancel():
                    raise
                applied.result()
        except BaseException:
            service.courier.exchange(before.values())
            raise
        service.courier.exchange(sinks.values())
        with suppress(TransientError):
            # The watches are exchanged: that their alerts cannot be counted now takes nothing of it back.
            service.book.load(service.store.alerts(), config.watches)
        for name in known.keys() - {b.name for b in bounds if known.get(b.name) == b.fingerprint}:
            service.recent.forget(name)
            service.besides.forget(name)
            service.watches.pop(name, None)
        for name in service.sinks.keys() - config.sinks.keys():
            del service.sinks[name]

    def _rebind(self, config: Config, bounds: list[Bound], ahead: dict[str, Ahead]) -> None:
        runner = self.service.runner
        before = runner.expressions, runner.labelling
        try:
            runner.express(config.expressions, config.risk.making)
            runner.rebind(bounds, ahead)
        except BaseException:
            # All or nothing: watches of the one and sinks of the other would tell nobody.
            runner.expressions, runner.labelling = before
            runner.drop()
            raise
        self.service.runner.lateness = latenesses(config)
        self.service.runner.everyone = list(config.sinks)


def differences(old: object, new: object) -> list[str]:
    """Names that are new (+), other (~) or gone (-).

    Examples
    --------
    >>> differences({"a": 1, "b": 2}, {"b": 3, "c": 4})
    ['+c', '-a', '~b']
    """
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    found = [f"+{n}" for n in new.keys() - old.keys()] + [f"-{n}" for n in old.keys() - new.keys()]
    return sorted(found + [f"~{n}" for n in old.keys() & new.keys() if old[n] != new[n]])
