"""A configuration: detector with parameters, decision rule, policy; as a watch, as flags, as a small document."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from watchband.core import params
from watchband.core.detector import Detector
from watchband.core.errors import ConfigError
from watchband.core.points import Float64
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.policy import Policy
from watchband.pipeline.rules import Budget, parse_rule
from watchband.pipeline.watch import Watch

FORMAT = 1
"""Of the document; raised when a field changes its meaning."""
_PERIODS = {"1w": "week", "1d": "day", "1h": "hour", "4w2d": "month"}
_NEVER = 1e300
SHARED = ("timezone", "holidays", "range_low", "range_high")
"""Parameters that say what the metric is; a user states them once for every detector."""


@dataclass(frozen=True)
class Configuration:
    """What ``watchband detect`` is to judge with.

    Parameters
    ----------
    detector : str
        A name of the catalogue.
    parameters : mapping
        Those that are not the default. A quantile of past values (``core.params.Past``) is ``{"past": 0.999}``.
    rule : str
        ``budget:1/1w`` or another decision rule.
    policy : mapping
        Those parameters of ``Policy`` that are not what the user stated.

    Examples
    --------
    >>> made = Configuration("rolling_zscore", {"window": 120}, "cutoff:4.5", {"consecutive": 2})
    >>> made.flags
    '--detector rolling_zscore:window=120 --cutoff 4.5 --consecutive 2'
    >>> Configuration.of(made.document()) == made
    True
    """

    detector: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rule: str = "budget:1/1w"
    policy: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Equal for equal configurations."""
        return json.dumps([self.detector, dict(self.parameters), self.rule, dict(self.policy)], sort_keys=True)

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def text(self) -> str:
        """The detector as the command line writes it."""
        told = [f"{name}={_written(value)}" for name, value in self.parameters.items()]
        return self.detector + (":" + ",".join(told) if told else "")

    @property
    def flags(self) -> str:
        """Flags of ``watchband detect``; what the user stated beside (time zone, range, gaps) is not repeated."""
        kind, _, rest = self.rule.partition(":")
        number, slash, period = rest.partition("/")
        words = ["--detector", self.text, f"--{kind}", f"{number}{slash}{_PERIODS.get(period, period)}"]
        for name, value in self.policy.items():
            words += [f"--{name.replace('_', '-')}", _written(value)]
        return shlex.join(words)

    @property
    def fits(self) -> bool:
        """It has limits that are taken from past values of each series."""
        return any(isinstance(v, dict) for v in self.parameters.values())

    def fitted(self, past: Float64) -> Configuration:
        """With the limits that past values give."""
        known = past[np.isfinite(past)]
        parameters = {
            name: _limit(known, value["past"]) if isinstance(value, dict) else value
            for name, value in self.parameters.items()
        }
        return replace(self, parameters=parameters)

    def build(self, shared: Mapping[str, Any] | None = None) -> Detector:
        """The detector, told what the user stated of the metric where it has such parameters."""
        found = CATALOGUE.get(self.detector)
        known = params.params_of(found)
        told = {k: v for k, v in (shared or {}).items() if k in known and v is not None}
        return params.build(found, {**told, **self.parameters})

    def watch(self, base: Watch, shared: Mapping[str, Any] | None = None) -> Watch:
        """``base`` with this configuration: same name, prepare, zone and whatever policy the user stated.

        Raises
        ------
        ConfigError
            A parameter that cannot be.
        """
        known = {name: getattr(base.policy, name) for name in params.params_of(Policy)}
        rule, detector = parse_rule(self.rule), self.build(shared)
        if isinstance(detector, Ensemble) and not isinstance(rule, Budget):
            # Such rules read one score in its unit; ``detect`` does the same.
            detector = detector.band
        # What reads one value judges the leading metric of a join by itself.
        join = base.join if base.join is not None and detector.dims_max >= len(base.join.columns) else None
        return replace(base, detector=detector, rule=rule, policy=Policy(**{**known, **self.policy}), join=join)

    def document(self) -> dict[str, Any]:
        """Parameters only, versioned: what a user keeps."""
        return {
            "watchband_configuration": FORMAT,
            "detector": self.detector,
            "parameters": dict(self.parameters),
            "rule": self.rule,
            "policy": dict(self.policy),
        }

    @classmethod
    def of(
        cls, document: Mapping[str, Any], shared: Mapping[str, Any] | None = None, *, build: bool = True
    ) -> Configuration:
        """The inverse of ``document``; built once, with what the user stated of the metric, unless told not to.

        Raises
        ------
        ConfigError
            No such document, or one of a later format.
        """
        version = document.get("watchband_configuration")
        if not isinstance(version, int) or "detector" not in document:
            raise ConfigError(
                "This is no configuration of Watchband: expected 'watchband_configuration' and 'detector'. "
                f"Got {', '.join(map(str, document)) or 'nothing'}."
            )
        if version > FORMAT:
            raise ConfigError(f"This configuration has format {version}; this Watchband reads up to {FORMAT}. Upgrade.")
        made = cls(
            str(document["detector"]),
            dict(document.get("parameters") or {}),
            str(document.get("rule", "budget:1/1w")),
            dict(document.get("policy") or {}),
        )
        if build and not made.fits:
            made.build(shared)
        return made

    def yaml(self) -> str:
        """The document as YAML: flat enough that every value is written as in JSON."""
        lines = []
        for name, value in self.document().items():
            if isinstance(value, dict) and value:
                lines += [f"{name}:", *(f"  {key}: {json.dumps(one)}" for key, one in value.items())]
            else:
                lines.append(f"{name}: {json.dumps(value)}")
        return "\n".join(lines) + "\n"


def _limit(known: Float64, quantile: float) -> float:
    above = quantile > 0.5
    if not len(known):
        # No past, no limit: nothing is ever beyond it.
        return _NEVER if above else -_NEVER
    edge = float(np.quantile(known, quantile))
    # The largest value ever seen is a limit only with some room: one like it must not alert.
    spread = float(np.quantile(known, 0.95) - np.quantile(known, 0.05)) or abs(edge) or 1.0
    room = 0.02 * spread
    digits = 1 - math.floor(math.log10(room))
    return round(edge + (room if above else -room), digits)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"q{value['past']:g}"
    return "none" if value is None else repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
