"""``breach`` of a watch: a threshold that is told before it is reached."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from watchband.core import params
from watchband.core.params import param
from watchband.pipeline.breach.breach import Breach

_DECLARED = params.params_of(Breach)


def _same(name: str) -> Any:
    declared = _DECLARED[name]
    default = {f.name: f.default for f in dataclasses.fields(Breach)}[name]
    return param(default, declared.constraint, declared.doc, unit=declared.unit)


@dataclass(frozen=True)
class BreachSettings:
    """The parameters of ``pipeline.breach.Breach``, one of ``above`` and ``below`` among them."""

    above: float | None = _same("above")
    below: float | None = _same("below")
    within: int = _same("within")
    confidence: float = _same("confidence")
    level: float = _same("level")

    def __post_init__(self) -> None:
        params.check(self)
        self.fold()

    def fold(self) -> Breach:
        """The stage."""
        return Breach(**dataclasses.asdict(self))
