"""Band coverage and warm-up alerts on clean series: ``python -m benches.coverage [NAME …] [--figure FILE.png]``.

A calibrated band at a nominal share, say 90 %, is the range of values whose p-value is above 10 %: the limits that
``calibrate`` gives for such a limit, around the detector's expected value. Each point is judged before it is learned.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from watchband.core.detector import Detector
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.evaluation.simulate.kinds import KINDS
from watchband.evaluation.simulate.world import CLEAN, World
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.rules import Budget
from watchband.testing import streams
from watchband.testing.nulls import NULLS, openings

NOMINAL = (0.5, 0.9, 0.99)
ONE_IN = (1440, 10_000)
WARM_UP = 1000
SERIES, POINTS = 20, 6000
FARTHEST = 5.0
"""Points that the picture reaches either way; what is farther stands at its edge with its figure."""
DETECTOR_NAMES = ("seasonal_band", "residual", "ewma")


@dataclass(frozen=True)
class Share(Budget):
    """A share of points outside the band, however large; a budget ends at one point in twenty."""

    outside: float = 0.1

    def p_limit(self, interval_ns: int) -> float:
        return self.outside


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found on the series of one kind.

    ``inside``: by nominal share the share of points in the band, float64[series]; ``warm_up``: by budget the alerts
    in the first thousand points over those promised.
    """

    kind: str
    inside: dict[float, Float64]
    warm_up: dict[int, float]


def clean_series(series: int = SERIES, points: int = POINTS) -> dict[str, Float64]:
    """Clean series by kind, float64[series, points]: nulls first, then simulated metrics."""
    found = {
        name: np.ascontiguousarray(make(np.random.default_rng(5), (series, points))) for name, make in NULLS.items()
    }
    for kind in KINDS:
        found[f"{kind} (simulated)"] = np.stack([World(kind, CLEAN, 500 + i, points).values for i in range(series)])
    return found


def measure(detector: Detector, kind: str, values: Float64) -> Measured:
    """Coverage after warm-up, and alerts within it."""
    series, n = values.shape
    points = Points.fleet([(streams.times(n, 5 * streams.MINUTE), row) for row in values])
    scores = detector.step(detector.start(series), points)
    inside = {}
    for nominal in NOMINAL:
        judged = _anomaly(Share(outside=1 - nominal), points, scores).reshape(series, n)[:, WARM_UP:]
        inside[nominal] = np.nanmean(judged <= 1, axis=1)
    warm_up = {}
    for one_in in ONE_IN:
        judged = _anomaly(Budget(1, one_in), points, scores).reshape(series, n)[:, :WARM_UP]
        warm_up[one_in] = sum(len(openings(row)) for row in judged) * one_in / (series * WARM_UP)
    return Measured(kind, inside, warm_up)


def _anomaly(rule: Budget, points: Points, scores: Scores) -> Float64:
    calibrate = Calibrate(rule)
    state = calibrate.start(points.series)
    return calibrate.step(state, points, scores, interval_ns=np.ones(points.series, np.int64)).anomaly_score


def table(name: str, found: list[Measured]) -> str:
    """Markdown of one detector."""
    heads = [f"inside {nominal:.0%}" for nominal in NOMINAL] + [f"warm-up 1/{one_in:,}" for one_in in ONE_IN]
    text = f"\n**{name}**\n\n| clean series | " + " | ".join(heads) + " |\n" + "|---" * (len(heads) + 1) + "|\n"
    for m in found:
        cells = [f"{100 * np.median(m.inside[nominal]):.1f}" for nominal in NOMINAL]
        cells += [f"{m.warm_up[one_in]:.2f}" for one_in in ONE_IN]
        text += f"| {m.kind} | " + " | ".join(cells) + " |\n"
    every = {nominal: np.concatenate([m.inside[nominal] for m in found]) for nominal in NOMINAL}
    cells = [f"**{100 * np.median(every[nominal]):.1f}**" for nominal in NOMINAL]
    cells += [f"**{np.mean([m.warm_up[one_in] for m in found]):.2f}**" for one_in in ONE_IN]
    return text + "| median of all series; mean of kinds | " + " | ".join(cells) + " |\n"


def draw(found: dict[str, list[Measured]], path: Path) -> None:
    """A picture: observed minus nominal, a dot a kind, and the point either way that is promised."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(found), figsize=(3.9 * len(found), 7), sharey=True, sharex=True, squeeze=False)
    for axis, (name, measured) in zip(axes[0], found.items(), strict=True):
        axis.axvspan(-1, 1, color="#e8eef4")
        axis.axvline(0, color="#8899aa", linewidth=0.8)
        for nudge, nominal, colour in zip((-0.3, 0, 0.3), NOMINAL, ("#1f6f8b", "#d1761b", "#7b3f8c"), strict=True):
            off = [100 * (np.median(m.inside[nominal]) - nominal) for m in measured]
            off.append(100 * (np.median(np.concatenate([m.inside[nominal] for m in measured])) - nominal))
            rows = np.arange(len(off)) + nudge
            beyond = np.abs(off) > FARTHEST
            axis.plot(np.clip(off, -FARTHEST, FARTHEST), rows, "o", color=colour, label=f"{nominal:.0%}", markersize=4)
            for row, value in zip(rows[beyond], np.array(off)[beyond], strict=True):
                side = "left" if value < 0 else "right"
                axis.annotate(
                    f"{value:+.0f}",
                    (np.sign(value) * FARTHEST, row),
                    (-6 if side == "right" else 6, -3),
                    textcoords="offset points",
                    ha=side,
                    fontsize=7,
                    color=colour,
                )
        axis.set_title(name)
        axis.set_xlabel("observed minus nominal, points")
        axis.set_yticks(np.arange(len(measured) + 1), [*(m.kind for m in measured), "median of all series"])
        axis.set_xlim(-FARTHEST - 0.3, FARTHEST + 0.3)
    axes[0, 0].invert_yaxis()
    axes[0, -1].legend(title="nominal", loc="upper left", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.coverage", description=__doc__)
    parser.add_argument("name", nargs="*", default=list(DETECTOR_NAMES), help="detectors that draw a band")
    parser.add_argument("--figure", type=Path, help="write a picture there")
    parser.add_argument("--series", type=int, default=SERIES, help="of every kind")
    given = parser.parse_args(arguments)
    data = clean_series(given.series)
    found = {}
    for name in given.name:
        detector = CATALOGUE.build({"type": name})
        found[name] = [measure(detector, kind, values) for kind, values in data.items()]
        print(table(name, found[name]), flush=True)
    if given.figure:
        draw(found, given.figure)


if __name__ == "__main__":
    main()
