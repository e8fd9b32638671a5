"""Expressions in the service: what a source refused, a reload to others, a restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tests.apps.service.test_service import readings, running, until
from tests.apps.service.worlds import KeptStore, Script, ScriptedSource, ScriptSettings, batch, config
from watchband.core.clock import Clock
from watchband.core.ports import Batch


def test_a_reload_to_other_expressions_and_a_restart() -> None:
    store = KeptStore()
    old = config(store=store, expressions={"ratio": "errors / requests"})
    new = config(store=store, expressions={"share": "errors / requests"})
    with running(old) as service:
        service.offer("push", batch(0, 5, name="errors").readings).result(10)
        service.offer("push", batch(0, 3, name="requests").readings).result(10)
        service.reloader.read = lambda: new
        service.reloader.reload()
        service.offer("push", batch(3, 1, name="requests").readings).result(10)
    with running(new) as service:
        service.offer("push", batch(4, 1, name="requests").readings).result(10)
        service.offer("push", batch(4, 1, name="requests").readings).result(10)
    found = readings(store)
    assert (found["ratio"], found["share"]) == (3, 2), "what had half arrived is not lost"


class Refusing(ScriptedSource):
    """Sets two parts aside with every batch."""

    refused = 0

    def read(self, position: str | None = None) -> Iterator[Batch]:
        for one in super().read(position):
            self.refused += 2
            yield one


@dataclass(frozen=True)
class RefusingSettings(ScriptSettings):
    """Stands for the settings of such a source."""

    kind: ClassVar[str] = "refusing"

    def open(self, name: str, *, clock: Clock) -> Refusing:
        return Refusing(name, self.script)


def test_what_a_source_set_aside_is_counted() -> None:
    script = Script([batch(0, 5), batch(5, 5)])
    with running(config({"s": RefusingSettings(script)})) as service:
        until(lambda: service.inflow.pumps["s"].health.batches == 2)
        assert service.inflow.pumps["s"].health.refused == 4
