"""Spectral residual: how much a point stands out of its window when its usual spectrum is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.detector import Detector
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Among, Choice, Flag, Integer, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State

LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class _PowerOfTwo:
    """The lengths that the transform knows."""

    def allows(self, value: object) -> bool:
        return type(value) is int and value in LENGTHS

    def __str__(self) -> str:
        return f"a power of two from {LENGTHS[0]} to {LENGTHS[-1]}"

    def schema(self) -> dict[str, object]:
        return {"type": "integer", "enum": list(LENGTHS)}

    def read(self, text: str) -> object:
        return int(text)


@dataclass(frozen=True)
class SpectralResidual(Detector):
    """Saliency of the newest point of a window: what is left of it where every frequency counts as its neighbours do.

    Works for spikes and sudden dips in metrics with any season, also several, without being told of them: what
    repeats is a high peak in the spectrum and is cut down to the rest. Does not work for levels that stay, for slow
    drifts, nor for values that are unusual only for their hour; it draws no band.

    Score: saliency of the point over the mean saliency of the ``local`` points before it, so the paper's score and 1.
    Its threshold of 3 is a score of 4. Expected, lower, upper and scale are NaN: it is no distance from a value.

    Notes
    -----
    The window is the last ``window - ahead`` points and ``ahead`` estimated ones behind them, as in the paper: the
    newest point would otherwise lie at the edge, where saliency is poor. It is made anew for every point and only of
    what came before, so the score is causal and forgets exactly. A missing value counts as the one before it; there
    is no opinion where it is missing itself, where fewer than half of the window are known, and before the window is
    full.

    ``extension`` says what the estimated points are: ``slope`` is the paper's formula, by the slopes from the last
    ``back`` points to the one before the newest; ``mean`` the mean of those points. The paper's slopes end in the
    newest point itself, by which a spike extends itself and a larger one stands out less; its authors' program leaves
    the newest out, as here. With ``centre`` the median of the window is taken away first: a high level otherwise
    outshines everything. ``centre=False`` is the paper's.

    State: 8 bytes for each point of the window. Cost: O(window log window) a point.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> at = np.arange(1200)
    >>> values = np.sin(at / 10) + np.sin(at / 37) + np.random.default_rng(1).normal(0, 0.1, 1200)
    >>> values[1000] += 1
    >>> detector = SpectralResidual()
    >>> score = detector.step(detector.start(), Points.of(at, values)).score
    >>> int(np.nanargmax(score)), bool(score[1000] > 4)
    (1000, True)

    References
    ----------
    H. Ren et al., "Time-Series Anomaly Detection Service at Microsoft", KDD 2019, doi:10.1145/3292500.3330680;
    X. Hou, L. Zhang, "Saliency Detection: A Spectral Residual Approach", CVPR 2007, doi:10.1109/CVPR.2007.383267.
    """

    name: ClassVar[str] = "spectral_residual"
    one_kernel: ClassVar[bool] = True
    cost: ClassVar[str] = "O(window log window) a point; 6 µs"

    window: int = param(
        256,
        _PowerOfTwo(),
        "Points of the transform, the estimated ones with them.",
        unit="points",
        search=Among((64, 128, 256, 512, 1024)),
    )
    ahead: int = param(5, Integer(0, 64), "Estimated points behind the newest one.", unit="points")
    back: int = param(5, Integer(1, 64), "Points from which they are estimated.", unit="points")
    extension: str = param("mean", Choice(("mean", "slope")), "What they are.", search=Among(("mean", "slope")))
    local: int = param(
        0,
        Integer(0, 4000),
        "Points before the newest whose mean saliency it is compared with; 0 is the whole window.",
        unit="points",
        search=Among((0, 21, 100)),
    )
    centre: bool = param(True, Flag(), "Take the median of the window away first.")

    def __post_init__(self) -> None:
        super().__post_init__()
        points = self.window - self.ahead
        least = max(self.back, self.local) + 2
        if points < least:
            raise InvalidParameterError(
                f"The 'window' parameter of {type(self).__name__} must leave {least} points beside the 'ahead' "
                f"estimated ones: as many as 'back' and 'local' look at, and two. Got {self.window} with "
                f"ahead={self.ahead}. Choose a longer window."
            )

    @property
    def invariances(self) -> frozenset[str]:
        return frozenset({"scale", "time_shift", "shift"} if self.centre else {"scale", "time_shift"})

    @property
    def memory_points(self) -> int:
        return self.window - self.ahead

    def layout(self) -> dict[str, Field]:
        return {"ring": Field("f8", self.window - self.ahead, np.nan), "head": Field("i8", 1)}

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.spectral_residual(
            state.arrays["ring"],
            state.arrays["head"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            (self.window, self.ahead, self.back, self.local),
            self.extension,
            self.centre,
            threads,
        )
