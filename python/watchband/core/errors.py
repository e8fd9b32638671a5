"""The error tree, arranged by what the caller does about it.

::

    WatchbandError
    ├── ConfigError(ValueError)      the user wrote something wrong  → show it, exit 2; never retry
    │   ├── UnknownNameError         says kind, name, nearest and known names
    │   ├── InvalidParameterError    "The 'window' parameter of RollingZscore must be … Got …"
    │   └── MissingExtraError        "Kinesis needs boto3: pip install 'watchband[aws]'"
    ├── DataError(ValueError)        this batch is unusable          → set it aside, count it, go on
    │   ├── PointsShapeError
    │   └── TimeOrderError           index, both times, the series
    ├── StateError                   this state cannot be used       → upgrade, or start cold and say so
    │   ├── StateVersionError
    │   ├── StateMismatchError       written by another detector or for other parameters
    │   └── StateCorruptError        truncated, foreign or damaged bytes
    └── AdapterError                 the outside world               → look at the leaf
        ├── TransientError           retry with back-off and a limit
        ├── PermanentError           stop this source, tell the operator
        └── FencedError              another process has taken over → stop folding, wait for the lead, restore

A message names what, where, got, expected, and what to do. Mistakes of the program itself are ``assert``
statements; input of a user is never asserted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: So many known names a message lists.
LISTED_MAX = 40


class WatchbandError(Exception):
    """Base of every error Watchband raises on purpose."""


class ConfigError(WatchbandError, ValueError):
    """The user wrote something wrong: show it and stop; a retry cannot help."""


class NotThereError(ConfigError):
    """What was named is not there, or no longer."""


class UnknownNameError(ConfigError):
    """A name that nothing is registered under.

    Parameters
    ----------
    kind : str
        What was looked for: ``"detector"``, ``"parameter of RollingZscore"``.
    name : str
        The name as written.
    known : iterable of str
        Every name that would have been accepted.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = difflib.get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        # Some six hundred time zones, or ten thousand series, bury the sentence before them.
        more = len(self.known) - LISTED_MAX
        listed = ", ".join(self.known[:LISTED_MAX]) if self.known else "none"
        super().__init__(f"Unknown {kind} {name!r}.{hint} Known: {listed}{f' and {more} more' if more > 0 else ''}.")


class InvalidParameterError(ConfigError):
    """A parameter outside its constraint; the message names owner, parameter, constraint and value."""


class MissingExtraError(ConfigError):
    """An optional dependency is not installed; the message gives the command that installs it."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f"{feature} needs {package}: pip install 'watchband[{extra}]'")


class DataError(WatchbandError, ValueError):
    """This batch cannot be used: set it aside, count it and go on."""


class PointsShapeError(DataError):
    """Arrays of a batch whose shapes or types do not fit together."""


class TimeOrderError(DataError):
    """Times within one series do not ascend."""


class StateError(WatchbandError):
    """A state that cannot be used: upgrade it, or start cold and say so."""


class StateVersionError(StateError):
    """A state written by a newer release, or by one too old to upgrade from."""


class StateMismatchError(StateError):
    """A state of another detector or of other parameters."""


class StateCorruptError(StateError):
    """Bytes that are truncated, damaged or not a Watchband state at all."""


class AdapterError(WatchbandError):
    """The outside world answered with something other than data.

    Parameters
    ----------
    message : str
        Without secrets.
    status : int, optional
        The HTTP status of the answer, if there was one.
    """

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class TransientError(AdapterError):
    """Worth a retry, with back-off and a limit; not before ``retry_after`` seconds, if the other side said so."""

    def __init__(self, message: str = "", *, status: int | None = None, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message, status=status)


class PermanentError(AdapterError):
    """Retrying cannot help: stop this source or sink and tell the operator."""


class FencedError(AdapterError):
    """Another process has taken over: stop folding at once, wait for the lead, restore. A retry cannot help."""
