"""The ``risk`` section: which model labels which entities, and who is told when one becomes Critical."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from watchband.apps.config.watches import WatchSettings
from watchband.core import params
from watchband.core.kinds import FilePath, ListOf, MapOf
from watchband.core.levels import RISK_STATE
from watchband.core.params import Maybe, Text, param

if TYPE_CHECKING:
    from watchband.analysis.risk.live import Making

WATCH = "risk"
"""The watch that alerts on Critical; one of this name in ``watches`` takes its place."""
LIMIT, WEIGHT = 2.5, 3.0
"""Between High Load and Critical; and what makes Critical severe."""


@dataclass(frozen=True)
class RiskSettings:
    """Labels every entity by a model as its points stream, and alerts when one becomes Critical."""

    model: str | None = param(None, Maybe(FilePath()), "The model, as 'watchband risk --save' wrote it; none: no risk.")
    entity: tuple[str, ...] = param(
        (), ListOf(Text("the name of a label")), "Labels that name an entity; none: as the model was fitted."
    )
    metrics: dict[str, str] = param(
        {}, MapOf(Text("the name of a metric")), "Metric of each feature of the model, where names differ."
    )
    m_of_n: str | None = param(
        None, Maybe(Text("M/N, for example 2/3")), "M Critical rows of the last N open an alert; none: the first does."
    )
    close_after: int = param(1, params.Integer(1), "Rows that are not Critical until an alert ends.", unit="rows")
    route: tuple[str, ...] | None = param(
        None, Maybe(ListOf(Text("the name of a sink"))), "Sinks that are told; omitted: all, empty: none."
    )

    def __post_init__(self) -> None:
        params.check(self)
        _ = self.watch

    @cached_property
    def watch(self) -> WatchSettings:
        """The watch that alerts."""
        return WatchSettings(
            match=(RISK_STATE,),
            detector=f"threshold:high={LIMIT}",
            direction="above",
            m_of_n=self.m_of_n,
            close_after=self.close_after,
            # High Load is not Critical, however near its number is to the limit.
            close_level=1.0,
            route=self.route,
            weight=WEIGHT,
            no_data=False,
            stuck=False,
        )

    @cached_property
    def making(self) -> Making | None:
        """What labels; None without a model.

        Raises
        ------
        ConfigError, StateError
            The model cannot be read, or has no such feature.
        """
        if self.model is None:
            return None
        from watchband.analysis.risk.artifact import load
        from watchband.analysis.risk.live import Making
        from watchband.core.errors import UnknownNameError

        labeller = load(self.model)
        known = [feature.name for feature in labeller.features]
        for name in self.metrics:
            if name not in known:
                raise UnknownNameError("feature of the risk model", name, known)
        by = self.entity or tuple(labeller.profile.get("by", ()))
        return Making(labeller, by, tuple(sorted(self.metrics.items())))
