"""The search by Optuna: seeded, resumable, pruned over series, and the same whoever interrupts it.

Each suggestion is drawn by a sampler that is made anew from the seed and the number of finished trials, so that what is
suggested depends on the seed and on what was found so far, and on nothing that an interruption could lose.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.space import Space
from watchband.core.errors import ConfigError, MissingExtraError, WatchbandError

if TYPE_CHECKING:
    import optuna

TRIALS = 40
STARTUP = 8
"""Trials before any is pruned, and that are drawn at random."""
KEPT_PERCENT = 67.0
"""A trial is given up where it is below this share of those that went to the end. They are the better ones already, and
some of the series tell the whole only roughly: half would be too many."""
_PREFIX = "watchband-"
_CONFIGURATION, _LOOKS = "configuration", "looks"
_NOTHING = -1e9
"""Stands for no value of a default, which Optuna has no word for."""
_DATABASES = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One trial.

    Parameters
    ----------
    number : int
        Counted from 0 over the finished ones.
    configuration : Configuration
        What was tried.
    value : float
        On the validation part, of all series; NaN where it was given up or cannot be.
    pruned : bool
        Given up after some of the series.
    reason : str
        Why it has no value; empty where it has one.
    """

    number: int
    configuration: Configuration
    value: float
    pruned: bool = False
    reason: str = ""


Evaluate = Callable[[Configuration, int], float]
"""From a configuration and the number of a rung, 0 up, to its value on the series up to that rung."""


def need_optuna() -> Any:
    """The library, imported when a search begins.

    Raises
    ------
    MissingExtraError
        It is not installed; the message has the line that installs it.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("Tuning to an objective", "optuna", "tune") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class Search:
    """A study that may go on where it was left.

    Parameters
    ----------
    space : Space
        Where is searched.
    task : bytes
        Everything else that the values depend on: a study goes on only for the same task.
    seed : int, default 0
        Equal seeds, equal trials.
    storage : path, optional
        File that holds the study: ``.db`` or ``.sqlite`` for SQLite, any other name for a journal. In memory if none.

    Raises
    ------
    MissingExtraError
        Optuna is not installed.
    ConfigError
        The storage cannot be opened.
    """

    def __init__(self, space: Space, task: bytes, *, seed: int = 0, storage: str | Path | None = None) -> None:
        self._optuna = need_optuna()
        self.space, self.seed = space, seed
        digest = hashlib.blake2b(space.task + b"\0%d\0" % seed + task, digest_size=8).hexdigest()
        self.name = _PREFIX + digest
        self._storage = self._open(storage)
        self._study: optuna.Study = self._optuna.create_study(
            study_name=self.name,
            storage=self._storage,
            direction="maximize",
            load_if_exists=True,
            pruner=self._optuna.pruners.PercentilePruner(KEPT_PERCENT, n_startup_trials=STARTUP),
        )
        # What was being tried when somebody pulled the plug: it is tried again, as if it had never begun.
        for trial in self._study.get_trials(deepcopy=False):
            if not trial.state.is_finished():
                self._study.tell(trial.number, state=self._optuna.trial.TrialState.FAIL)

    def _open(self, storage: str | Path | None) -> Any:
        if storage is None:
            return None
        path = Path(storage)
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise ConfigError(f"--storage {str(path)!r} cannot be written. Name a file in a folder that exists.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if path.suffix.lower() in _DATABASES:
                    return self._optuna.storages.RDBStorage(f"sqlite:///{path}")
                backend = self._optuna.storages.journal.JournalFileBackend(str(path))
                return self._optuna.storages.JournalStorage(backend)
        except Exception as error:
            raise ConfigError(
                f"--storage {str(path)!r} cannot be opened as a study ({error}). Name a new file, or one of an "
                "earlier run."
            ) from error

    @property
    def attempts(self) -> list[Attempt]:
        """Every finished trial, in order."""
        return [_attempt(number, trial) for number, trial in enumerate(self._finished())]

    @property
    def tried(self) -> int:
        """Configurations that were tried in this storage, for this task and for others."""
        storage = self._study._storage
        names = [s.study_name for s in storage.get_all_studies() if s.study_name.startswith(_PREFIX)]
        done = [t for n in names for t in storage.get_all_trials(storage.get_study_id_from_name(n), deepcopy=False)]
        return sum(_CONFIGURATION in t.user_attrs and t.state.name in ("COMPLETE", "PRUNED") for t in done)

    def look(self) -> int:
        """Note that the held-out part is looked at; how often it was, by every study of this storage."""
        self._study.set_user_attr(_LOOKS, int(self._study.user_attrs.get(_LOOKS, 0)) + 1)
        storage = self._study._storage
        ours = [s for s in storage.get_all_studies() if s.study_name.startswith(_PREFIX)]
        return sum(int(storage.get_study_user_attrs(s._study_id).get(_LOOKS, 0)) for s in ours)

    def run(
        self,
        evaluate: Evaluate,
        rungs: int,
        trials: int = TRIALS,
        *,
        stop: Callable[[], bool] = lambda: False,
        tell: Callable[[int, int], None] | None = None,
    ) -> list[Attempt]:
        """Try until ``trials`` have been tried in all, or ``stop()`` holds before one.

        Parameters
        ----------
        evaluate : callable
            See ``Evaluate``.
        rungs : int
            Numbers of rungs are 0 to ``rungs - 1``; the last is all series.
        trials : int, default 40
            In all, those of earlier runs counted.
        stop : callable
            Asked before each trial; the defaults of the detectors are tried whatever it says.
        tell : callable, optional
            Called with the number of finished trials and ``trials``.
        """
        defaults = [self.space.default(name) for name in self.space.detectors]
        while len(done := self._finished()) < trials:
            if tell:
                tell(len(done), trials)
            if len(done) < len(defaults):
                self._try_default(defaults[len(done)], evaluate, rungs)
            elif stop():
                break
            else:
                self._try(len(done), evaluate, rungs)
        if tell:
            tell(len(self._finished()), trials)
        return self.attempts

    def _finished(self) -> list[Any]:
        states = self._optuna.trial.TrialState
        trials = self._study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED))
        return [t for t in trials if _CONFIGURATION in t.user_attrs]

    def _try_default(self, configuration: Configuration, evaluate: Evaluate, rungs: int) -> None:
        # Told and not asked: a default may lie outside what is searched, and is never given up.
        values = {rung: evaluate(configuration, rung) for rung in range(rungs)}
        known = {rung: v for rung, v in values.items() if np.isfinite(v)}
        trial = self._optuna.trial.create_trial(
            value=values[rungs - 1] if np.isfinite(values[rungs - 1]) else _NOTHING,
            intermediate_values=known,
            user_attrs={_CONFIGURATION: configuration.document()},
        )
        self._study.add_trial(trial)

    def _try(self, number: int, evaluate: Evaluate, rungs: int) -> None:
        states = self._optuna.trial.TrialState
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
        trial = self._study.ask()
        try:
            configuration = self.space.suggest(trial)
            trial.set_user_attr(_CONFIGURATION, configuration.document())
            value = float("nan")
            for rung in range(rungs):
                value = evaluate(configuration, rung)
                if rung < rungs - 1 and np.isfinite(value):
                    trial.report(value, rung)
                    if trial.should_prune():
                        trial.set_user_attr("reason", f"among the lowest third after rung {rung + 1} of {rungs}")
                        self._study.tell(trial, state=states.PRUNED)
                        return
            if np.isfinite(value):
                self._study.tell(trial, value)
                return
            trial.set_user_attr("reason", "no value on these series")
        except WatchbandError as error:
            trial.set_user_attr("reason", str(error))
        except BaseException:
            self._study.tell(trial, state=states.FAIL)
            raise
        self._study.tell(trial, state=states.PRUNED)


def _attempt(number: int, trial: Any) -> Attempt:
    configuration = Configuration.of(trial.user_attrs[_CONFIGURATION], build=False)
    reason = str(trial.user_attrs.get("reason", ""))
    # Optuna calls the last value before a trial was given up its value: it is of some series only.
    pruned = trial.state.name == "PRUNED"
    value = float("nan") if pruned or trial.value <= _NOTHING else float(trial.value)
    return Attempt(number, configuration, value, pruned, reason)


def best(attempts: Sequence[Attempt]) -> Attempt | None:
    """The highest value, the earliest of equal ones; None where none has a value."""
    known = [a for a in attempts if np.isfinite(a.value)]
    return max(known, key=lambda a: (a.value, -a.number)) if known else None


def incumbents(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Trials that were the best when they came."""
    found: list[Attempt] = []
    for attempt in attempts:
        if np.isfinite(attempt.value) and (not found or attempt.value > found[-1].value):
            found.append(attempt)
    return found
