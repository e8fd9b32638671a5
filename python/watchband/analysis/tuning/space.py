"""Where is searched: the spans that detectors, policy and budget declare beside their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from watchband.analysis.tuning.configuration import Configuration
from watchband.core import params
from watchband.core.duration import WEEK, format_duration
from watchband.core.errors import ConfigError
from watchband.core.params import Among, Past, Search
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.policy import Policy
from watchband.pipeline.rules import Budget, parse_rule


class Suggests(Protocol):
    """A trial of Optuna, as far as it is needed."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True)
class Space:
    """What a search may choose.

    Parameters
    ----------
    detectors : tuple of str
        Names of the catalogue; the first is the one that is used without a search.
    rule : str
        The rule that the user asks for.
    budget_is_searched : bool, default False
        The alerts of a budget are searched too.
    policy : bool, default True
        Policy parameters are searched too, as far as ``stated`` leaves them open.
    stated : frozenset of str
        Parameters of the policy that the user gave: they are not touched.
    given : mapping of str to mapping
        Parameters that the user has today, by name of the detector: part of the default, and kept where not searched.

    Raises
    ------
    ConfigError
        No detector, or one twice.
    UnknownNameError
        No such detector.
    """

    detectors: tuple[str, ...]
    rule: str = "budget:1/1w"
    budget_is_searched: bool = False
    policy: bool = True
    stated: frozenset[str] = frozenset()
    given: Mapping[str, Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        if not self.detectors or len(set(self.detectors)) < len(self.detectors):
            raise ConfigError(
                f"A search wants one detector or more, each once. Got {', '.join(self.detectors) or '-'}."
            )
        for name in self.detectors:
            CATALOGUE.get(name)

    @property
    def task(self) -> bytes:
        """Everything that shapes it, for the name of a study: a set has another order in every process."""
        every = {one.name: getattr(self, one.name) for one in fields(self)}
        return repr(every | {"stated": sorted(self.stated)}).encode()

    def default(self, detector: str) -> Configuration:
        """As it is used without a search."""
        given = dict((self.given or {}).get(detector, {}))
        if searched_past(detector) and not given:
            return Configuration(detector, {k: {"past": q} for k, q in _PAST_DEFAULT.items()}, "cutoff:1")
        return Configuration(detector, given, self.rule_of(detector))

    def rule_of(self, detector: str) -> str:
        """The user's rule, or the detector's own where a budget means nothing to it."""
        own = str(getattr(CATALOGUE.get(detector), "default_rule", "budget"))
        return self.rule if own == "budget" else own

    def searches(self, detector: str) -> dict[str, Search]:
        """The parameters of a detector that are searched, and where."""
        return params.searches_of(CATALOGUE.get(detector))

    def suggest(self, trial: Suggests) -> Configuration:
        """One configuration of the space."""
        names = self.detectors
        detector = str(trial.suggest_categorical("detector", names)) if len(names) > 1 else names[0]
        parameters = dict((self.given or {}).get(detector, {}))
        for name, search in self.searches(detector).items():
            parameters[name] = _suggested(trial, f"{detector}.{name}", search)
        policy: dict[str, Any] = {}
        if self.policy:
            for name, search in params.searches_of(Policy).items():
                if name not in self.stated:
                    value = _suggested(trial, f"policy.{name}", search)
                    if value != params.values_of(Policy())[name]:
                        policy[name] = value
        rule = self.rule_of(detector)
        if self.budget_is_searched and isinstance(parse_rule(rule), Budget):
            search = params.searches_of(Budget)["alerts"]
            rule = f"budget:{_suggested(trial, 'budget.alerts', search):g}/{format_duration(WEEK)}"
        return Configuration(detector, parameters, rule, policy)

    @property
    def size(self) -> int:
        """How many parameters are searched, all detectors together."""
        own = sum(len(self.searches(name)) for name in self.detectors)
        policy = len(set(params.searches_of(Policy)) - self.stated) if self.policy else 0
        return own + policy + self.budget_is_searched + (len(self.detectors) > 1)


_PAST_DEFAULT = {"low": 0.0, "high": 1.0}


def searched_past(detector: str) -> bool:
    """Its limits are quantiles of past values."""
    return any(isinstance(s, Past) for s in params.searches_of(CATALOGUE.get(detector)).values())


def _suggested(trial: Suggests, name: str, search: Search) -> Any:
    if isinstance(search, Among):
        return trial.suggest_categorical(name, search.values)
    if isinstance(search, Past):
        # Near the end every factor of the share beyond counts alike.
        upper = search.high >= 1
        widest = 1 - search.low if upper else search.high
        share = float(f"{trial.suggest_float(name, 1e-5, widest, log=True):.2g}")
        return {"past": round(1 - share if upper else share, 7)}
    if search.whole:
        return trial.suggest_int(name, int(search.low), int(search.high), log=search.log)
    return search.tidy(trial.suggest_float(name, search.low, search.high, log=search.log))


def table() -> str:
    """Every search space as a Markdown table, as it stands in the docs."""
    lines = ["| of | parameter | default | searched | unit |", "|---|---|---|---|---|"]
    owners: list[tuple[str, type]] = [(name, CATALOGUE.get(name)) for name in CATALOGUE.names()]
    for name, cls in [*owners, ("policy", Policy), ("budget", Budget)]:
        declared = params.params_of(cls)
        defaults = {p["title"]: p["properties"] for p in [params.schema(cls)]}[cls.__name__]
        for key, search in params.searches_of(cls).items():
            default = defaults[key]["default"]
            lines.append(f"| `{name}` | `{key}` | `{default}` | {search} | {declared[key].unit} |")
    return "\n".join(lines) + "\n"
