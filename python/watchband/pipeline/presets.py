"""Presets: ensembles with a name. Each is a table of members: label, detector, weight, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from watchband.core.params import Maybe, Real, Span, Text, param
from watchband.detectors.ewma import Ewma
from watchband.detectors.gap_novelty import GapNovelty
from watchband.detectors.level_shift import LevelShift
from watchband.detectors.light_band import LightBand
from watchband.detectors.random_cut_forest import RandomCutForest
from watchband.detectors.residual import Residual
from watchband.detectors.seasonal_band import SeasonalBand
from watchband.pipeline.ensemble import Ensemble, Member, told


def shares(*members: Member) -> tuple[Member, ...]:
    """Members whose weights are 1 together."""
    whole = sum(m.weight for m in members)
    return tuple(replace(m, weight=m.weight / whole) for m in members)


@dataclass(frozen=True)
class Preset(Ensemble):
    """Base of the presets: what the metric is, handed to every member that asks for it."""

    table: ClassVar[tuple[Member, ...]] = ()

    timezone: str = param(
        "UTC", Text("the name of an IANA time zone"), "Time zone in which hours and days are counted."
    )
    holidays: str | None = param(
        None, Maybe(Text("an ISO 3166 code such as 'IE' or 'US-CA'")), "Country whose public holidays count."
    )
    range_low: float | None = param(None, Maybe(Real()), "Least value the metric can have.", unit="of the metric")
    range_high: float | None = param(None, Maybe(Real()), "Greatest value it can have.", unit="of the metric")
    band_share: float | None = param(
        None,
        Maybe(Real(0.0, 1.0, low_open=True, high_open=True)),
        "Share of the false alarms that the band's member has, the others keep their proportions; none: the table's.",
        retunable=True,
        later=True,
        search=Span(0.02, 0.9, log=True),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        # Members check what they are told.
        _ = self.members

    @cached_property
    def members(self) -> tuple[Member, ...]:
        values = {name: getattr(self, name) for name in ("timezone", "holidays", "range_low", "range_high")}
        band = self.table[0].weight
        share = band if self.band_share is None else self.band_share
        # As in the table to the last bit where nothing else is wanted.
        scale = 1.0 if self.band_share is None else (1 - share) / (1 - band)
        weights = [share, *(m.weight * scale for m in self.table[1:])]
        pairs = zip(self.table, weights, strict=True)
        return tuple(replace(m, detector=told(m.detector, values), weight=w) for m, w in pairs)


@dataclass(frozen=True)
class Auto(Preset):
    """For every metric: a seasonal band, and members that see what lies within it.

    Works for metrics of people and machines at any interval. A value is anomalous outside the drawn band; a forest of
    random cuts adds courses that do not fit, gap novelty values and short and longer means that were never seen, a
    level shift small changes that stay, a slow mean what leaves the widest swing. The budget of alerts is shared: one
    promise for all of them together. Does not work for scores that are to be compared with a fixed limit: those rules
    read the band's member alone.

    Examples
    --------
    >>> Auto().labels
    ('band', 'novelty', 'short means', 'long means', 'shift', 'forest', 'swing')
    """

    name: ClassVar[str] = "auto"
    cost: ClassVar[str] = "O(1) a point; the sum of its members"
    table: ClassVar[tuple[Member, ...]] = shares(
        Member("band", SeasonalBand(), 20),
        Member("novelty", GapNovelty(), 60, strength=1.0, says="no value like it was seen before"),
        Member(
            "short means",
            GapNovelty(of="mean", window=4),
            60,
            strength=1.0,
            says="its last four values never had such a mean before",
        ),
        Member(
            "long means",
            GapNovelty(of="mean", window=12),
            20,
            strength=1.0,
            says="its last twelve values never had such a mean before",
        ),
        # An outage is the band's to tell: its residuals would keep the alert open for an hour of minutes after it.
        Member(
            "shift", LevelShift(), 2, reads="residual", holds=True, says="a small change of its level or noise stays"
        ),
        Member("forest", RandomCutForest(), 3),
        # Where a metric swings by day its distance from a slow mean has an end, and what passes it is beyond doubt: a
        # share of one in three thousand costs the others nothing.
        Member("swing", Ewma(), 0.05, says="it left its slow mean further than its swings ever did"),
    )


@dataclass(frozen=True)
class Novelty(Preset):
    """For people who want every value that was never seen: gap novelty first, with a long memory.

    Works where the news is a value that never came before, within the usual range or beyond, a mean of two dozen
    values, or a noise, short or long. The band is drawn from the values just before and has nearly no share of the
    false alarms. Does not work for metrics that grow, where every value is new; knows nothing of the hour.

    Examples
    --------
    >>> Novelty().labels
    ('band', 'novelty', 'novelty of means', 'novelty of noise', 'novelty of long noise')
    """

    name: ClassVar[str] = "novelty"
    cost: ClassVar[str] = "O(1) a point; the sum of its members"
    # The band's member holds nothing back: what an outage brings is news once, and known when it comes again.
    table: ClassVar[tuple[Member, ...]] = shares(
        Member("band", Residual(), 0.2),
        Member("novelty", GapNovelty(memory=25_000), 20, says="no value like it was seen before"),
        Member(
            "novelty of means",
            GapNovelty(memory=25_000, of="mean", window=24),
            10,
            says="its last two dozen values never had such a mean before",
        ),
        Member(
            "novelty of noise",
            GapNovelty(memory=25_000, of="deviation", window=12),
            3,
            says="its last dozen values never varied by so much or so little before",
        ),
        Member(
            "novelty of long noise",
            GapNovelty(memory=25_000, of="deviation", window=72),
            3,
            says="its last six dozen values never varied by so much or so little before",
        ),
    )


@dataclass(frozen=True)
class Light(LightBand):
    """For fleets of a million series: the slim band with the light tier of ``calibrate``, in 3.6 kB a series in all.

    Works as ``light_band`` does, at about a hundredth of what ``auto`` costs. Does not work for patterns within the
    band and for jumps inside the usual range: those are what the members of ``auto`` are for.

    Examples
    --------
    >>> Light().tier, Light().state_bytes_max < 2400
    ('light', True)
    """

    name: ClassVar[str] = "light"
    tier: ClassVar[str] = "light"
