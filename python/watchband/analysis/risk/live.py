"""Risk live: a fold over the log that labels every entity as its points stream, and remembers when states changed.

What it gives is one series an entity, ``risk_state``, whose values are 0 to 3. It stands in the log like any other, so
a watch of it alerts by the ordinary way, and a replay gives the same bits. The last row and the transitions of every
entity are kept in its state, for pages.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from watchband.analysis.risk.artifact import to_document
from watchband.analysis.risk.entities import entity_of
from watchband.analysis.risk.labeller import Labeller
from watchband.analysis.risk.naming import Risk
from watchband.analysis.risk.pivot import STATE_MAX, Pivot
from watchband.analysis.risk.rows import Rows
from watchband.analysis.risk.words import category, description, kinds_of, reason
from watchband.core.alert import Alert
from watchband.core.errors import StateCorruptError
from watchband.core.events import ControlEvent, WatermarkMoved
from watchband.core.levels import RISK_STATE
from watchband.core.points import Float64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

SOURCE = "risk"
KEPT_EACH = 256
"""Transitions of an entity that are kept."""
SILENT_STEPS = 3
"""Steps without a row after which an entity is no longer known to be in its state."""
ENTITIES_MAX = 20_000
CACHE_MAX = 1_000_000


@dataclass
class Standing:
    """How an entity stands.

    Parameters
    ----------
    name : str
        Of the entity.
    labels : dict of str to str
        Of its series.
    state, since : int
        The state, a ``Risk``, and the time (ns UTC) from which it holds.
    time : int
        Of the last row.
    load, excess, probability : float
        As the labeller says.
    leading, anomaly : int
        The feature that is farthest out, and the bits of the anomaly.
    known : bool
        Whether it is known what is usual for it.
    values : list of float
        The last row.
    cause : str
        Why it last became Critical.
    past : deque of (int, int)
        Time and state of every transition, oldest first.
    """

    name: str
    labels: dict[str, str]
    state: int = int(Risk.UNKNOWN)
    since: int = 0
    time: int = 0
    load: float = float("nan")
    excess: float = float("nan")
    probability: float = float("nan")
    leading: int = 0
    anomaly: int = 0
    known: bool = False
    values: list[float] = field(default_factory=list)
    cause: str = ""
    past: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=KEPT_EACH))

    def copy(self) -> Standing:
        """An independent copy."""
        return replace(self, past=deque(self.past, KEPT_EACH))

    def dump(self) -> list[Any]:
        """As plain data."""
        return [
            self.name, self.labels, self.state, self.since, self.time, self.load, self.excess, self.probability,
            self.leading, self.anomaly, self.known, self.values, self.cause, list(self.past),
        ]  # fmt: skip

    @classmethod
    def read(cls, data: list[Any]) -> Standing:
        """The inverse of ``dump``."""
        found = cls(*data[:-1])
        found.past.extend((int(time), int(state)) for time, state in data[-1])
        return found


@dataclass(frozen=True)
class Making:
    """Makes a ``RiskFold``; equal where it would label the same.

    Parameters
    ----------
    labeller : Labeller
        What labels.
    by : tuple of str
        Labels that name an entity; all if none.
    metrics : tuple of (str, str)
        Feature of the model, metric of the service, where they differ.
    """

    labeller: Labeller = field(compare=False)
    by: tuple[str, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    digest: str = ""

    def __post_init__(self) -> None:
        text = json.dumps([to_document(self.labeller)["checksum"], self.by, self.metrics])
        object.__setattr__(self, "digest", hashlib.blake2b(text.encode(), digest_size=8).hexdigest())

    def __call__(self) -> RiskFold:
        return RiskFold(self)


class RiskFold:
    """Labels entities, entry by entry of the log.

    Parameters
    ----------
    making : Making
        How.

    Attributes
    ----------
    standing : dict of str to Standing
        Every entity, by name.
    left_out : int
        Readings of entities beyond ``ENTITIES_MAX``.
    """

    def __init__(self, making: Making) -> None:
        self.making, self.labeller = making, making.labeller
        spelled = dict(making.metrics)
        features = self.labeller.features
        self.metrics = {spelled.get(f.name, f.name): number for number, f in enumerate(features)}
        self.pivot = Pivot(len(features), self.labeller.step)
        self.standing: dict[str, Standing] = {}
        self.left_out = 0
        self._places: dict[SeriesKey, tuple[int, int] | None] = {}
        self._owned: dict[SeriesKey, str] = {}
        self._known = np.empty(0, np.int64)

    def __bool__(self) -> bool:
        return True

    @property
    def fingerprint(self) -> str:
        """Equal where a state may go on."""
        return self.making.digest

    def step(self, readings: Sequence[Readings], events: Sequence[ControlEvent]) -> list[Readings]:
        """The states that an entry settles: first by its readings, then by its watermarks."""
        parts = [self._push(readings)]
        for event in events:
            if isinstance(event, WatermarkMoved) and event.source:
                parts.append(self.pivot.passed(event.source, event.time))
        rows = Rows.joined(parts)
        return self._label(rows) if len(rows) else []

    def _push(self, readings: Sequence[Readings]) -> Rows:
        places, mine = [], []
        for one in readings:
            place = self._place(one.key)
            if place is None or not len(one.times):
                continue
            if self._owned.get(one.key) != one.source:
                self._owned[one.key] = one.source
                self.pivot.own(*place, one.source)
            places.append(place)
            mine.append(one)
        if not mine:
            return Rows.empty(self.pivot.features)
        counts = [len(one.times) for one in mine]
        numbers = np.repeat(np.array(places, np.int64), counts, axis=0)
        times = np.concatenate([one.times for one in mine])
        values = np.concatenate([one.values for one in mine])
        sound = times >= 0
        return self.pivot.push(numbers[sound, 0], numbers[sound, 1], times[sound], values[sound])

    def _place(self, key: SeriesKey) -> tuple[int, int] | None:
        """Entity and feature of a series."""
        if key in self._places:
            return self._places[key]
        if len(self._places) >= CACHE_MAX:
            self._places.clear()
        feature = self.metrics.get(key.metric)
        name = None if feature is None else entity_of(key, self.making.by)
        place = None
        if name is not None and feature is not None:
            if name not in self.standing and len(self.standing) >= ENTITIES_MAX:
                self.left_out += 1
                return None
            if name not in self.standing:
                by = self.making.by
                self.standing[name] = Standing(name, {k: v for k, v in key.labels.items() if not by or k in by})
            place = self.pivot.entity(name), feature
        self._places[key] = place
        return place

    def _label(self, rows: Rows) -> list[Readings]:
        if len(self._known) < len(self.pivot.names):
            self._known = self.labeller.known(self.pivot.names)
        labels = self.labeller.label(rows, self._known)
        given: dict[int, tuple[list[int], list[float]]] = {}
        columns = (
            rows.entity, rows.times, labels.state, labels.load, labels.excess, labels.probability, labels.leading,
            labels.anomaly, labels.known,
        )  # fmt: skip
        for at, (entity, time, state, load, excess, chance, leading, anomaly, known) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            one = self.standing[self.pivot.names[entity]]
            if one.time and time - one.time > SILENT_STEPS * self.labeller.step and one.state >= 0:
                self._turn(one, int(Risk.UNKNOWN), one.time + self.labeller.step)
            one.time, one.load, one.excess, one.probability = time, load, excess, chance
            one.leading, one.anomaly, one.known = leading, anomaly, known
            one.values = rows.values[at].tolist()
            if state != one.state:
                self._turn(one, state, time)
                if state == Risk.CRITICAL:
                    one.cause = self.why(one)
            if state >= 0:
                times, values = given.setdefault(entity, ([], []))
                times.append(time)
                values.append(float(state))
        return [
            Readings(
                SeriesKey(RISK_STATE, self.standing[self.pivot.names[entity]].labels),
                np.array(times, np.int64),
                np.array(values),
                SOURCE,
            )
            for entity, (times, values) in given.items()
        ]

    @staticmethod
    def _turn(one: Standing, state: int, time: int) -> None:
        one.state, one.since = state, time
        one.past.append((time, state))

    def row(self, one: Standing) -> tuple[Float64, Float64]:
        """Values and deviations of an entity's last row: float64[f] each."""
        values = np.array(one.values, np.float64)
        rows = Rows(np.zeros(1, np.int32), np.array([one.time], np.int64), values[None, :])
        return values, self.labeller.deviations(rows, self.labeller.known([one.name]))[0]

    def why(self, one: Standing) -> str:
        """Category and reason of an entity's last row: ``CPU bottleneck: CPU 223 % (usual 80 %)``."""
        values, deviations = self.row(one)
        known = int(self.labeller.known([one.name])[0])
        said = reason(self.labeller, values, deviations, self.labeller.usual(known, one.state))
        what = self.category(one)
        if not said:
            return what
        return said if said.startswith(what) else f"{what}: {said}"

    def category(self, one: Standing) -> str:
        """What is short."""
        return category(self.labeller.features[one.leading])

    def description(self, one: Standing) -> str:
        """The state in a few words."""
        return description(Risk(one.state), self.category(one), one.anomaly, one.known)

    def kinds(self, one: Standing) -> list[str]:
        """Names of the anomaly of an entity's last row."""
        return kinds_of(one.anomaly)

    def word(self, alert: Alert) -> Alert:
        """An alert on Critical, with the cause; any other as it is."""
        if alert.series.metric != RISK_STATE:
            return alert
        name = entity_of(alert.series, self.making.by)
        one = self.standing.get(name) if name is not None else None
        if one is None or not one.cause or one.cause in alert.reason:
            return alert
        return replace(alert, reason=f"{alert.reason} {one.cause[:1].upper()}{one.cause[1:]}.")

    def to_bytes(self) -> bytes:
        """The state."""
        data = {
            "pivot": base64.b64encode(self.pivot.to_bytes()).decode(),
            "standing": [one.dump() for one in self.standing.values()],
            "left_out": self.left_out,
        }
        return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)

    def load(self, data: bytes) -> None:
        """Go on from a state of the same model.

        Raises
        ------
        StateCorruptError
            It is none.
        """
        try:
            found: Mapping[str, Any] = json.loads(zlib.decompressobj().decompress(data, STATE_MAX))
            self.pivot.load(base64.b64decode(found["pivot"]))
            standing = [Standing.read(one) for one in found["standing"]]
            self.standing = {one.name: one for one in standing}
            self.left_out = int(found["left_out"])
        except (ValueError, TypeError, KeyError, zlib.error) as error:
            raise StateCorruptError(f"This state of risk cannot be read ({error}). Start cold.") from None
