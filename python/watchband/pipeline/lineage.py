"""Lineage: which model of a watch judges, which are in shadow, and how events of the log change that."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from watchband.core.errors import StateCorruptError
from watchband.core.events import ChallengerStarted, ModelEvent, ModelPromoted

PREFIX = "$model/"
"""Of the names of folds that are models in shadow; no watch can be called so."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a watch.

    Parameters
    ----------
    number : int
        Its number among those of the watch; 0 is the one that the watch began with.
    settings : str
        JSON of what it has otherwise than the watch as configured; empty: nothing.
    since : int
        When it took the place that it has, ns UTC.
    """

    number: int = 0
    settings: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Lineage:
    """The models of a watch.

    Parameters
    ----------
    champion : Model
        The one that judges.
    challenger, former : Model, optional
        In shadow: one that may come to judge, and the one that judged before.

    Examples
    --------
    >>> started = ChallengerStarted("cpu", "f", 1, '{"detector":"ewma"}', 5)
    >>> found = Lineage().after(started).after(ModelPromoted("cpu", "f", 1, 9))
    >>> found.champion.number, found.challenger, found.former.number
    (1, None, 0)
    """

    champion: Model = Model()
    challenger: Model | None = None
    former: Model | None = None

    @property
    def shadows(self) -> tuple[Model, ...]:
        """Those in shadow."""
        return tuple(model for model in (self.challenger, self.former) if model is not None)

    def shadow(self, number: int) -> Model | None:
        """The one in shadow of that number."""
        return next((model for model in self.shadows if model.number == number), None)

    def after(self, event: ModelEvent) -> Lineage:
        """What it is behind an event; one about a model that is not there changes nothing."""
        if isinstance(event, ChallengerStarted):
            return replace(self, challenger=Model(event.number, event.settings, event.time))
        model = self.shadow(event.number)
        if model is None:
            return self
        rest = replace(
            self,
            challenger=None if model is self.challenger else self.challenger,
            former=None if model is self.former else self.former,
        )
        if not isinstance(event, ModelPromoted):
            return rest
        return replace(rest, champion=replace(model, since=event.time), former=replace(self.champion, since=event.time))

    def to_text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Lineage:
        """The inverse of ``to_text``.

        Raises
        ------
        StateCorruptError
            It is something else.
        """
        try:
            found = json.loads(text)
            champion, *shadows = (found[role] and Model(**found[role]) for role in _ROLES)
            return cls(champion, *shadows)
        except (ValueError, TypeError, KeyError) as error:
            raise StateCorruptError(f"The models of this watch make no sense ({error}).") from error


_ROLES = ("champion", "challenger", "former")


def fold_name(watch: str, number: int) -> str:
    """What the fold of a model in shadow is called.

    Examples
    --------
    >>> fold_name("cpu", 3)
    '$model/3/cpu'
    """
    return f"{PREFIX}{number}/{watch}"


def is_model(fold: str) -> bool:
    """Whether a fold is a model in shadow."""
    return fold.startswith(PREFIX)
