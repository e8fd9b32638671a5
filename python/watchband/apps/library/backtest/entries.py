"""Who takes part: a grid of detectors, rules and policies, as candidates with names that tell them apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from watchband.apps.library.options import Options, detector_text, rule_words
from watchband.core import params
from watchband.core.detector import Detector
from watchband.core.errors import ConfigError
from watchband.evaluation.backtest.baselines import baselines
from watchband.evaluation.backtest.contender import Contender, check_names
from watchband.evaluation.backtest.outside import Outside
from watchband.evaluation.candidate import EXEC, IMPORT, candidate
from watchband.pipeline import DEFAULT_DETECTOR
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.policy import Policy
from watchband.pipeline.watch import Watch

Judge = str | Detector | Callable[..., Any]
"""What may stand for a detector: a name with its parameters, an object, a function, ``exec:…``, ``import:…``."""


@dataclass(frozen=True, kw_only=True)
class Entries:
    """A grid of candidates: every detector under every rule and every policy.

    Parameters
    ----------
    detectors : sequence
        Names with their parameters, detector objects, functions ``(times, values) -> scores``, ``exec:COMMAND`` or
        ``import:package.module:name``. Default: the default detector.
    rules : sequence of mapping
        Each one entry, ``{"budget": "1/week"}`` or ``{"cutoff": 4}``; none is each detector's own.
    policies : sequence of str or mapping
        Parameters of the policy that differ, ``"consecutive=3,min_deviation=5"``; none is the policy of ``options``.
    options : Options
        Everything else.
    with_baselines : bool, default False
        A static threshold and a rolling z-score besides.
    """

    detectors: Sequence[Judge] = ()
    rules: Sequence[Mapping[str, Any]] = ()
    policies: Sequence[str | Mapping[str, Any]] = ()
    options: Options = dataclasses.field(default_factory=Options)
    with_baselines: bool = False

    def contenders(self) -> list[Contender]:
        """The candidates, baselines last.

        Raises
        ------
        ConfigError
            Something that cannot be, or two that are the same.
        """
        detectors = list(self.detectors) or [DEFAULT_DETECTOR]
        rules = list(self.rules) or [{}]
        policies = list(self.policies) or [""]
        made = []
        for judge, rule, policy in product(detectors, rules, policies):
            watch = self._watch(judge, rule, policy)
            parts = [_name(judge, watch.detector)]
            parts += [rule_words(str(watch.rule))] if len(rules) > 1 else []
            parts += [_policy_words(policy)] if len(policies) > 1 else []
            made.append(Contender(" · ".join(parts), watch))
        if self.with_baselines:
            made += baselines(made[0].watch)
        check_names(made)
        if len({one.watch.join for one in made}) > 1:
            raise ConfigError("All candidates of a backtest judge the same series: give --join for all, or for none.")
        return made

    def _watch(self, judge: Judge, rule: Mapping[str, Any], policy: str | Mapping[str, Any]) -> Watch:
        chosen = dataclasses.replace(self.options, detector=_detector(judge), **rule)
        watch = chosen.watch()
        given = params.read_text(Policy, policy) if isinstance(policy, str) else dict(policy)
        if not given:
            return watch
        whole = {**params.values_of(watch.policy), **given}
        return dataclasses.replace(watch, policy=params.build(Policy, whole))


def _detector(judge: Judge) -> str | Detector:
    """What the options can build a watch from: a name of the catalogue stays one, so that it hears of the zone."""
    if isinstance(judge, Detector):
        return judge
    named = isinstance(judge, str) and not judge.startswith((EXEC, IMPORT))
    if isinstance(judge, str) and named and judge.partition(":")[0].strip() in CATALOGUE.table:
        return judge
    found = candidate(judge)
    return found if isinstance(found, Detector) else Outside(found)


def _name(judge: Judge, detector: Detector) -> str:
    if isinstance(detector, Outside):
        return str(detector)
    if isinstance(judge, str):
        return judge.strip()
    return detector_text(detector)


def _policy_words(policy: str | Mapping[str, Any]) -> str:
    text = policy if isinstance(policy, str) else ",".join(f"{k}={v}" for k, v in policy.items())
    return text.strip() or "as it is"


def rules_of(**given: Any) -> list[dict[str, Any]]:
    """Rules from lists by their names, in the order of the names.

    Raises
    ------
    ConfigError
        Nothing of a list can be a rule.

    Examples
    --------
    >>> rules_of(budget=["1/week", "1/day"], cutoff=[4.0])
    [{'budget': '1/week'}, {'budget': '1/day'}, {'cutoff': 4.0}]
    """
    found = []
    for name, values in given.items():
        for value in values or ():
            if value in (None, ""):
                raise ConfigError(f"--{name} is empty. Give a value, or leave it out.")
            found.append({name: value})
    return found
