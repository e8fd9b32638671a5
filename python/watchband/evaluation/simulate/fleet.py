"""Many series, each made when it is asked for and forgotten afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.evaluation.simulate.clock import Clock
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.placing import ANY, FaultSpec
from watchband.evaluation.simulate.series import Simulated

_CLOCK = Clock()


@dataclass(frozen=True, eq=False)
class Fleet(Sequence[Simulated]):
    """Series of one or several kinds in turn, by number.

    Nothing is held: ``fleet[999_999]`` costs as much as ``fleet[0]``.

    Parameters
    ----------
    kinds : sequence of str
        Series ``i`` is of kind ``kinds[i % len(kinds)]``.
    series : int
        How many; a single one has no label in its name.
    seed, points, clock, noise
        As in ``Simulated``.
    faults : sequence of FaultSpec
        Of every series that can have them; those with a ``series`` of that one only.
    share : float, default 1
        Share of series that have faults at all.

    Raises
    ------
    ConfigError
        A fault that none of the kinds can have, a share outside 0 to 1.

    Examples
    --------
    >>> fleet = Fleet(["cpu", "sparse"], series=1_000_000, points=100)
    >>> len(fleet), fleet[999_999].name
    (1000000, 'sparse{series="999999"}')
    """

    kinds: Sequence[str] = ("cpu",)
    series: int = 1
    seed: int = 0
    points: int = 4032
    clock: Clock = _CLOCK
    faults: Sequence[FaultSpec] = ()
    noise: float = 1.0
    share: float = 1.0

    def __post_init__(self) -> None:
        if not self.kinds or self.series < 0 or not 0 <= self.share <= 1:
            raise ConfigError(
                "A fleet needs a kind, a number of series >= 0 and a share of 0 to 1. "
                f"Got {list(self.kinds)}, {self.series}, {self.share}."
            )
        traits = [Simulated(kind, points=0).traits for kind in self.kinds]
        for spec in self.faults:
            if spec.name != ANY and not spec.series and not any(spec.type.fits(t) for t in traits):
                raise ConfigError(f"None of the kinds {', '.join(self.kinds)} can have a {spec.name}.")

    def __len__(self) -> int:
        return self.series

    @overload
    def __getitem__(self, number: int) -> Simulated: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Simulated]: ...
    def __getitem__(self, number: int | slice) -> Simulated | Sequence[Simulated]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(self.series))]
        number = number + self.series if number < 0 else number
        if not 0 <= number < self.series:
            raise IndexError(number)
        kind = self.kinds[number % len(self.kinds)]
        metric = kind.partition(":")[0]
        labels = {"series": str(number)} if self.series > 1 else {}
        name = str(SeriesKey(metric, labels))
        clean = Simulated(kind, self.seed, number, self.points, self.clock, (), self.noise, name)
        faults = self._faults_of(clean, number)
        if not faults:
            return clean
        return Simulated(kind, self.seed, number, self.points, self.clock, faults, self.noise, name)

    def __iter__(self) -> Iterator[Simulated]:
        return (self[i] for i in range(self.series))

    def _faults_of(self, clean: Simulated, number: int) -> list[FaultSpec]:
        mine = [s for s in self.faults if s.series == clean.name]
        if self.share >= 1 or float(Dice(self.seed, "share", number).uniform("", 0)[0]) < self.share:
            mine += [s for s in self.faults if not s.series and (s.name == ANY or s.type.fits(clean.traits))]
        return mine
