"""State: named arrays whose first axis is the series, and their one serialised form.

The bytes are: magic, format version, length of the header, header (JSON), arrays in the header's order (large ones
packed), checksum of everything before it. No pickle; nothing in the bytes is executed.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband._kernels import Score, Stepper, Steppers
from watchband.core.errors import StateCorruptError, StateMismatchError, StateVersionError
from watchband.core.packing import pack, unpack

MAGIC = b"WBSTATE\n"
FORMAT = 2
_PREFIX = struct.Struct("<8sHI")
_DIGEST = 16
_INT64 = np.dtype(np.int64)
_DTYPES = ("<f8", "<f4", "<i8", "<i4", "<u2", "|u1", "|b1")
SERIES_MAX = 1 << 31
HEADER_BYTES = 16
"""Bytes a series that every state spends on ``points_seen`` and ``last_time``."""

_LENT = ("arrays", "points_seen", "last_time", "derived")
"""What a stepper holds between calls of ``step_one``."""

_PATIENCE, _PATIENCE_MAX, _PAYS = 2, 64, 32
"""Calls for one point before a stepper moves in, the most of them, and the points after which it has paid.

Lending and settling copies the state twice."""

ADVICE = "Restore the last good snapshot, or start cold with detector.start() and fold the log again."


@dataclass(frozen=True, slots=True)
class Field:
    """One array of a state: element type, elements a series, and what a new series starts with.

    A ``derived`` array follows from the others and is kept for speed only: it is neither written nor compared, starts
    with zeros, and the kernel makes it anew where it is not current.
    """

    dtype: str
    width: int
    fill: float = 0.0
    derived: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes a series."""
        return self.width * np.dtype(self.dtype).itemsize

    def blank(self, series: int) -> NDArray[Any]:
        """The array for ``series`` series that have seen nothing."""
        dtype = np.dtype(self.dtype)
        return np.full((series, self.width), self.fill, dtype) if self.fill else np.zeros((series, self.width), dtype)


@dataclass(eq=False)
class State:
    """What a fold knows of ``series`` series.

    Parameters
    ----------
    detector : str
        Name of the fold the state belongs to.
    version : int
        The fold's ``state_version``.
    fingerprint : str
        Fingerprint of the parameters that shape the state.
    arrays : mapping of str to array[series, width]
        The arrays; moved on in place by ``step``.
    points_seen, last_time : int64[series]
        Points folded so far and the time of the last of them (smallest int64 before the first).
    libraries : mapping of str to str
        Versions of libraries whose models are part of the state; empty for most.
    derived : dict of str to array[series, width]
        Arrays that follow from the others; absent after reading until the next step.
    """

    detector: str
    version: int
    fingerprint: str
    arrays: dict[str, NDArray[Any]]
    points_seen: NDArray[np.int64]
    last_time: NDArray[np.int64]
    libraries: Mapping[str, str] = field(default_factory=dict)
    derived: dict[str, NDArray[Any]] = field(default_factory=dict)
    if TYPE_CHECKING:

        @property
        def one(self) -> Callable[[int, float], Score | None]:
            """While a stepper holds the arrays: its call for one point."""

        @property
        def one_for(self) -> object:
            """While a stepper holds the arrays: the detector whose call it is."""

    def __post_init__(self) -> None:
        # In the instance and not as defaults of the class: where both have a name, Python looks twice as long.
        self.__dict__.update(one=None, one_for=None)

    @classmethod
    def blank(cls, detector: str, version: int, fingerprint: str, layout: Mapping[str, Field], series: int) -> State:
        """A state for ``series`` series that have seen nothing."""
        return cls(
            detector,
            version,
            fingerprint,
            {k: f.blank(series) for k, f in layout.items() if not f.derived},
            np.zeros(series, np.int64),
            np.full(series, np.iinfo(np.int64).min, np.int64),
        )

    def __setattr__(self, name: str, value: object) -> None:
        self._come_home()
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        self._come_home()
        # A stepper that has moved out is still known here, for a thread that is about to call it.
        return {**self.__dict__, "one": None, "one_for": None}

    def asked_again(self) -> bool:
        """Count a call for one point; True when there were enough of them for a stepper to pay."""
        calls: int = self.__dict__.get("_calls", 0) + 1
        self.__dict__["_calls"] = calls
        return self.series == 1 and calls >= self.__dict__.get("_patience", _PATIENCE)

    def lend(self, owner: object, stepper: Stepper | Steppers) -> None:
        """Let a stepper hold the arrays until somebody asks for one of them: they are then written, and back."""
        mine = self.__dict__
        mine["_away"] = (stepper, {name: mine.pop(name) for name in _LENT})
        mine["one"], mine["one_for"] = stepper.one, owner

    def _come_home(self) -> None:
        mine = self.__dict__
        if "_away" not in mine:
            return
        stepper, arrays = mine["_away"]
        folded, last_time = stepper.settle()
        arrays["points_seen"][0] += folded
        arrays["last_time"][0] = last_time
        mine.update(arrays)
        mine["one_for"] = None
        mine.pop("_away", None)
        # Who reads the arrays after every few points gets none the quicker for a stepper that moves in and out.
        patience = min(2 * mine.get("_patience", _PATIENCE), _PATIENCE_MAX) if folded < _PAYS else _PATIENCE
        mine["_calls"], mine["_patience"] = 0, patience

    def furnish(self, layout: Mapping[str, Field]) -> None:
        """Put in the derived arrays of ``layout`` that are absent, as zeros: the kernel makes them anew."""
        for name, declared in layout.items():
            if declared.derived and name not in self.derived:
                self.derived[name] = declared.blank(self.series)

    @property
    def series(self) -> int:
        """Number of series held."""
        return len(self.points_seen)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together, in memory."""
        return sum(a.nbytes for a in (*self._all().values(), *self.derived.values()))

    def _all(self) -> dict[str, NDArray[Any]]:
        return {"points_seen": self.points_seen, "last_time": self.last_time, **self.arrays}

    def _like(self, arrays: Mapping[str, NDArray[Any]], derived: dict[str, NDArray[Any]]) -> State:
        rest = {k: v for k, v in arrays.items() if k not in ("points_seen", "last_time")}
        return State(
            self.detector,
            self.version,
            self.fingerprint,
            rest,
            arrays["points_seen"],
            arrays["last_time"],
            dict(self.libraries),
            derived,
        )

    def copy(self) -> State:
        """An independent copy."""
        return self._like({k: a.copy() for k, a in self._all().items()}, {k: a.copy() for k, a in self.derived.items()})

    def take(self, rows: ArrayLike) -> State:
        """The chosen series, in the given order, as a new state."""
        index = np.asarray(rows, np.int64)
        return self._like({k: a[index] for k, a in self._all().items()}, {k: a[index] for k, a in self.derived.items()})

    @staticmethod
    def stack(states: Sequence[State]) -> State:
        """The series of all states, one after the other.

        Raises
        ------
        StateMismatchError
            The states are not of one fold with one set of parameters.
        """
        first = states[0]
        for other in states[1:]:
            if other.identity != first.identity:
                raise StateMismatchError(
                    f"Only states of one detector and one set of parameters stack. Got {first.identity} and "
                    f"{other.identity}."
                )
        every = [s._all() for s in states]
        shared = [k for k in first.derived if all(k in s.derived for s in states)]
        return first._like(
            {k: np.concatenate([a[k] for a in every]) for k in every[0]},
            {k: np.concatenate([s.derived[k] for s in states]) for k in shared},
        )

    @property
    def identity(self) -> tuple[str, int, str]:
        """Detector, version and fingerprint: states with the same identity fit together."""
        return self.detector, self.version, self.fingerprint

    def same_bits(self, other: State) -> bool:
        """True where identity and every array are equal bit for bit."""
        mine, theirs = self._all(), other._all()
        return (
            self.identity == other.identity
            and mine.keys() == theirs.keys()
            and all(mine[k].tobytes() == theirs[k].tobytes() for k in mine)
        )

    def check_arrays(self, shapes: Mapping[str, tuple[np.dtype[np.generic], int]]) -> None:
        """Raise StateCorruptError unless the arrays are of these element types and widths, and kernels can use them."""
        series = len(self.points_seen)
        for name, (dtype, width) in shapes.items():
            array = self.arrays.get(name)
            if array is None or array.dtype != dtype or array.shape != (series, width) or not _usable(array):
                raise self._unfit(name, dtype, (series, width), array)
        if len(self.arrays) != len(shapes):
            extra = sorted(set(self.arrays) - set(shapes))
            raise StateCorruptError(f"This state of {self.detector!r} has arrays that it never has: {extra}. {ADVICE}")
        for name, array in (("points_seen", self.points_seen), ("last_time", self.last_time)):
            if array.dtype != _INT64 or array.shape != (series,) or not _usable(array):
                raise self._unfit(name, _INT64, (series,), array)

    def _unfit(
        self, name: str, dtype: np.dtype[np.generic], shape: tuple[int, ...], array: NDArray[Any] | None
    ) -> StateCorruptError:
        if array is None:
            got = "none"
        else:
            got = f"{array.dtype} of shape {array.shape}" + ("" if _usable(array) else ", not contiguous or read-only")
        return StateCorruptError(
            f"Array {name!r} of this state of {self.detector!r} must be {dtype} of shape {shape}. Got {got}. {ADVICE}"
        )

    def to_bytes(self, *, packed: bool = True) -> bytes:
        """Everything as bytes that ``from_bytes`` reads on any machine; large arrays plain where not ``packed``."""
        every = {k: np.ascontiguousarray(a) for k, a in self._all().items()}
        little = {k: a.astype(a.dtype.newbyteorder("<"), copy=False) for k, a in every.items()}
        smaller = {k: pack(a) if packed else None for k, a in little.items()}
        entries: list[list[Any]] = [[k, a.dtype.newbyteorder("<").str, list(a.shape)] for k, a in every.items()]
        for entry in entries:
            if (coded := smaller[entry[0]]) is not None:
                entry.append(len(coded))
        header = {
            "detector": self.detector,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "libraries": dict(self.libraries),
            "arrays": entries,
        }
        text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        # Without large arrays the bytes are what releases before the second format wrote and read.
        form = FORMAT if any(len(entry) > 3 for entry in entries) else 1
        parts = [_PREFIX.pack(MAGIC, form, len(text)), text]
        parts += [coded if (coded := smaller[k]) is not None else a.tobytes() for k, a in little.items()]
        body = b"".join(parts)
        return body + hashlib.blake2b(body, digest_size=_DIGEST).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """Read what ``to_bytes`` wrote.

        Raises
        ------
        StateCorruptError
            Truncated, damaged or foreign bytes; says which and what to do.
        StateVersionError
            Written in a newer format.
        """
        header, body = _open(data)
        try:
            arrays = _read_arrays(header["arrays"], body)
            return cls(
                str(header["detector"]),
                int(header["version"]),
                str(header["fingerprint"]),
                {k: a for k, a in arrays.items() if k not in ("points_seen", "last_time")},
                arrays["points_seen"],
                arrays["last_time"],
                {str(k): str(v) for k, v in header["libraries"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StateCorruptError(f"The header of this state makes no sense ({error}). {ADVICE}") from error


def _usable(array: NDArray[Any]) -> bool:
    return array.flags.c_contiguous and array.flags.writeable


class _Lent:
    """Stands behind an array of a state: the state's own attribute hides it, unless a stepper holds the array."""

    def __set_name__(self, owner: type[State], name: str) -> None:
        self.name = name

    def __get__(self, state: State | None, owner: type[State]) -> object:
        if state is None or "_away" not in state.__dict__:
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self.name!r}")
        state._come_home()
        return state.__dict__[self.name]


for _name in _LENT:
    # After the decorator, which would take it for a default value; and without ``__getattr__``, which would slow down
    # every other attribute too.
    (_lent := _Lent()).__set_name__(State, _name)
    setattr(State, _name, _lent)


def _open(data: bytes) -> tuple[dict[str, Any], memoryview]:
    size = len(data)
    if size < len(MAGIC) or data[: len(MAGIC)] != MAGIC[:size]:
        raise StateCorruptError(
            f"These {size} bytes are not a Watchband state: they begin with {bytes(data[:8])!r}, expected "
            f"{MAGIC!r}. Check that the right file is read. {ADVICE}"
        )
    if size < _PREFIX.size + _DIGEST:
        raise StateCorruptError(f"This state ends after {size} bytes, inside its header: truncated. {ADVICE}")
    _, form, length = _PREFIX.unpack_from(data)
    if form > FORMAT:
        raise StateVersionError(
            f"This state is written in format {form}; this release reads up to {FORMAT}. Upgrade Watchband."
        )
    if hashlib.blake2b(data[:-_DIGEST], digest_size=_DIGEST).digest() != data[-_DIGEST:]:
        raise StateCorruptError(
            f"The checksum of this state of {size} bytes does not match: truncated or damaged. {ADVICE}"
        )
    try:
        header = json.loads(bytes(data[_PREFIX.size : _PREFIX.size + length]))
    except (ValueError, RecursionError) as error:
        raise StateCorruptError(f"The header of this state cannot be read ({error}). {ADVICE}") from error
    if not isinstance(header, dict):
        raise StateCorruptError(f"The header of this state is not a table. {ADVICE}")
    return header, memoryview(data)[_PREFIX.size + length : -_DIGEST]


def _read_arrays(entries: Iterable[Any], body: memoryview) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    at = 0
    for name, dtype, shape, *packed in entries:
        if dtype not in _DTYPES or any(not isinstance(n, int) or not 0 <= n < SERIES_MAX for n in shape):
            raise ValueError(f"array {name!r} of type {dtype!r} and shape {shape!r}")
        count = int(np.prod(shape, dtype=object)) if shape else 1
        size = packed[0] if packed else count * np.dtype(dtype).itemsize
        if not isinstance(size, int) or size < 0 or at + size > len(body):
            raise ValueError(f"array {name!r} wants {size} bytes, {len(body) - at} are left")
        part = body[at : at + size]
        raw = unpack(part, np.dtype(dtype), count) if packed else np.frombuffer(part, np.dtype(dtype))
        raw = raw.reshape(shape)
        arrays[str(name)] = raw.astype(raw.dtype.newbyteorder("="), copy=True)
        at += size
    if at != len(body):
        raise ValueError(f"{len(body) - at} bytes are left over")
    if len({len(a) for a in arrays.values()}) != 1:
        raise ValueError("arrays of different numbers of series")
    return arrays
