"""Services that call each other: an incident begins in one and is felt by its callers, a little later and less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.evaluation.simulate.clock import Clock
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.placing import QUIET_SHARE, FaultSpec
from watchband.evaluation.simulate.scenes.track import Scene
from watchband.evaluation.simulate.series import Simulated

_NAMES = ("web", "mobile", "gateway", "cart", "search", "users", "orders", "payments", "stock", "mail", "cache", "db")
METRICS = ("requests", "latency", "error_ratio", "cpu")
EFFECTS = {"latency": (9.0, 6.5), "error_ratio": (7.0, 5.0), "cpu": (6.0, 0.0)}
"""Size of the level shift in the service where it begins, and in those that call it directly, in noise units."""
FADES = 0.75
"""What is left of it one call further away."""
FELT = 1.5
"""Smaller shifts are not made."""
_CLOCK = Clock()


@dataclass(frozen=True, eq=False)
class Mesh:
    """Services in layers with four metrics each, and incidents that begin in one of them.

    Parameters
    ----------
    services : int, default 8
        How many.
    incidents : int, default 1
        How many, one after the other.
    seed, points, clock, noise
        As in ``Simulated``.

    Raises
    ------
    ConfigError
        Fewer than two services, or too short a series for so many incidents.

    Examples
    --------
    >>> mesh = Mesh(services=6, seed=3)
    >>> mesh.calls["web"], "web" in mesh.callers("web")
    (('gateway', 'mobile'), False)
    """

    services: int = 8
    incidents: int = 1
    seed: int = 0
    points: int = 4032
    clock: Clock = _CLOCK
    noise: float = 1.0

    def __post_init__(self) -> None:
        if self.services < 2 or self.incidents < 0:
            raise ConfigError(
                f"A mesh has at least two services and no negative number of incidents. Got {self.services} and "
                f"{self.incidents}."
            )
        if self.incidents and (1 - QUIET_SHARE) * self.points / self.incidents < 100:
            raise ConfigError(
                f"{self.points} points are too few for {self.incidents} incidents. Give 160 points for each."
            )

    @property
    def names(self) -> list[str]:
        """Services, those that people call first."""
        extra = [f"service-{n}" for n in range(1, max(self.services - len(_NAMES), 0) + 1)]
        return [*_NAMES[: min(self.services, len(_NAMES))], *extra]

    @cached_property
    def calls(self) -> dict[str, tuple[str, ...]]:
        """Which services each service calls: always ones behind it, so that nothing goes in circles."""
        rng, names = Dice(self.seed, "mesh").generator("calls"), self.names
        found: dict[str, set[str]] = {name: set() for name in names}
        for at in range(1, len(names)):
            callers = rng.choice(at, size=min(at, int(rng.integers(1, 3))), replace=False)
            for caller in callers.tolist():
                found[names[caller]].add(names[at])
        return {name: tuple(sorted(called)) for name, called in found.items()}

    def distances(self, root: str) -> dict[str, int]:
        """Services that feel an incident in ``root``, and how many calls away they are."""
        found, edge = {root: 0}, [root]
        while edge:
            edge = [name for name in self.names if name not in found and set(self.calls[name]) & set(edge)]
            found |= dict.fromkeys(edge, max(found.values()) + 1)
        return found

    def callers(self, name: str) -> set[str]:
        """Every service that calls it, directly or through others."""
        return set(self.distances(name)) - {name}

    @cached_property
    def faults(self) -> dict[str, list[FaultSpec]]:
        """Faults of every series that has any, by its name."""
        rng = Dice(self.seed, "mesh").generator("incidents")
        # The later half of the services are called by others: an incident is felt elsewhere.
        roots = self.names[self.services // 2 :]
        part = (1 - QUIET_SHARE) * self.points / max(self.incidents, 1)
        found: dict[str, list[FaultSpec]] = {}
        for number in range(self.incidents):
            root = str(rng.choice(roots))
            length = int(rng.integers(8, 25))
            first = int(QUIET_SHARE * self.points + part * number + rng.integers(0, int(part) - length - 40))
            for service, away in self.distances(root).items():
                start = self.clock.start + (first + min(away, 4)) * self.clock.interval
                for metric, (here, there) in EFFECTS.items():
                    size = here if away == 0 else there * FADES ** (away - 1)
                    if size >= FELT:
                        spec = FaultSpec(
                            "level_shift", start, size=round(size, 3), points=length, incident=f"incident-{number + 1}",
                            root=away == 0,
                        )  # fmt: skip
                        found.setdefault(_key(metric, service), []).append(spec)
        return found

    @cached_property
    def series(self) -> Sequence[Simulated]:
        """All metrics of all services."""
        return [
            Simulated(
                metric, self.seed, 1 + at, self.points, self.clock, self.faults.get(_key(metric, name), ()), self.noise,
                _key(metric, name),
            )
            for at, name in enumerate(self.names)
            for metric in METRICS
        ]  # fmt: skip


def _key(metric: str, service: str) -> str:
    return str(SeriesKey(metric, {"service": service}))


def mesh(seed: int = 0, *, services: int = 8, incidents: int = 2, points: int = 4032, clock: Clock = _CLOCK) -> Scene:
    """Eight services with two incidents, each of which begins in one and is felt by its callers.

    Examples
    --------
    >>> scene = mesh()
    >>> [sum(label.root for label in scene.labels if label.incident == f"incident-{n}") for n in (1, 2)]
    [3, 3]
    """
    found = Mesh(services, incidents, seed, points, clock)
    return Scene("mesh", found.series, calls=found.calls)


def pair(seed: int = 0, *, points: int = 4032, clock: Clock = _CLOCK) -> Scene:
    """Requests, and the work they make: for some hours the work no longer goes with them, at values that are all usual.

    Examples
    --------
    >>> [(a.series, a.fault) for a in pair().labels]
    [('work', 'ratio_break')]
    """
    asked = Simulated("requests", seed, 0, points, clock)
    return Scene("pair", [asked, Simulated("work", seed, 0, points, clock, [FaultSpec("ratio_break")])])
