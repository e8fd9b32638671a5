"""A chart of a page as SVG: curves stretch with the page, texts do not, and words say what it shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from watchband.apps.library.axes import time_ticks, value_ticks
from watchband.apps.library.report.markup import Markup, el
from watchband.core import wording
from watchband.core.points import Float64

WIDE = 1000.0
TOP, BOTTOM = 14, 22


class Panel:
    """A plot with values on the left inside it and texts below; places along the width are those of ``ends``.

    Parameters
    ----------
    ends : (float, float)
        First and last place along the width: times in ns, or whatever is drawn.
    span : (float, float)
        Lowest and highest value.
    height : int
        In pixels, the texts below included.
    """

    def __init__(self, ends: tuple[float, float], span: tuple[float, float], height: int = 200) -> None:
        self.ends = ends if ends[1] > ends[0] else (ends[0], ends[0] + 1)
        low, high = span
        if not (math.isfinite(low) and math.isfinite(high)):
            low, high = 0.0, 1.0
        if high <= low:
            room = max(abs(low) * 0.1, 1e-9)
            low, high = low - room, high + room
        self.span, self.height = (low, high), height
        self.curves: list[Markup] = []
        self.texts: list[Markup] = []

    def x(self, place: float) -> float:
        """Of a place, in thousandths of the width."""
        return WIDE * (place - self.ends[0]) / (self.ends[1] - self.ends[0])

    def y(self, value: float) -> float:
        """Of a value, in pixels; what lies outside ends a little beyond the edge."""
        share = (value - self.span[0]) / (self.span[1] - self.span[0])
        return self.height - BOTTOM - min(max(share, -0.03), 1.05) * (self.height - TOP - BOTTOM)

    def line(self, cls: str, places: Sequence[float] | Float64, values: Sequence[float] | Float64) -> None:
        """Joins neighbours that have a value; a value alone is a dot."""
        xs, ys = np.asarray(places, np.float64), np.asarray(values, np.float64)
        known = np.isfinite(ys)
        parts, pen = [], "M"
        for i in range(len(xs)):
            if not known[i]:
                pen = "M"
                continue
            alone = pen == "M" and not (i + 1 < len(xs) and known[i + 1])
            parts.append(f"{pen}{self.x(xs[i]):.1f} {self.y(ys[i]):.1f}" + ("h1" if alone else ""))
            pen = "L"
        if parts:
            self.curves.append(el("path", cls=cls, d="".join(parts)))

    def area(self, cls: str, places: Sequence[float] | Float64, low: Float64, high: Float64) -> None:
        """Between two curves, in runs where both have a value."""
        xs = np.asarray(places, np.float64)
        both = np.concatenate([[False], np.isfinite(low) & np.isfinite(high), [False]])
        edges = np.flatnonzero(np.diff(both.astype(np.int8)))
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            ahead = [f"{self.x(xs[i]):.1f} {self.y(high[i]):.1f}" for i in range(a, b)]
            back = [f"{self.x(xs[i]):.1f} {self.y(low[i]):.1f}" for i in range(b - 1, a - 1, -1)]
            if b - a == 1:
                back = [f"{self.x(xs[a]) + 1:.1f} {self.y(low[a]):.1f}"]
            self.curves.append(el("path", cls=cls, d="M" + "L".join([*ahead, *back]) + "Z"))

    def box(self, cls: str, first: float, last: float, top: float, bottom: float) -> None:
        """A rectangle between two places and two heights in pixels, two pixels wide at least."""
        left, right = (min(max(self.x(p), 0.0), WIDE) for p in (first, last))
        self.curves.append(
            el("rect", cls=cls, x=f"{left:.1f}", y=f"{top:.1f}", width=f"{max(right - left, 2):.1f}",
               height=f"{max(bottom - top, 1):.1f}")
        )  # fmt: skip

    @property
    def base(self) -> float:
        """Where the lowest value is drawn, in pixels."""
        return self.height - BOTTOM

    def level(self, cls: str, value: float, text: str = "") -> None:
        """A line over the whole width, with words at its right end."""
        y = f"{self.y(value):.1f}"
        self.texts.append(el("line", cls=cls, x1="0", x2="100%", y1=y, y2=y))
        if text:
            self.texts.append(el("text", text, cls="tick end", x="100%", y=f"{float(y) - 4:.1f}"))

    def upright(self, cls: str, place: float, text: str = "") -> None:
        """A line over the whole height, with words at its top."""
        x = _share(self.x(place))
        self.texts.append(el("line", cls=cls, x1=x, x2=x, y1=TOP - 6, y2=self.base))
        if text:
            late = self.x(place) > 0.8 * WIDE
            cls = "tick end" if late else "tick"
            self.texts.append(el("text", text, cls=cls, x=x, y=TOP - 4, dx=-4 if late else 4))

    def dot(self, cls: str, place: float, value: float, radius: float = 3.5, title: str = "") -> None:
        """A mark; what its title says stands in a table as well."""
        inside = el("title", title) if title else None
        cy = f"{self.y(value):.1f}"
        self.texts.append(el("circle", inside, cls=cls, cx=_share(self.x(place)), cy=cy, r=radius))

    def text(self, place: float, words: str, cls: str = "tick mid", y: float | None = None) -> None:
        """Words below the plot, or at a height of their own."""
        self.texts.append(el("text", words, cls=cls, x=_share(self.x(place)), y=self.height - 6 if y is None else y))

    def values_axis(self, metric: str = "", count: float = 4.5) -> None:
        """Round values, in the unit that the metric's name tells."""
        factor, sign = wording.scale_of(metric or "x", max(abs(self.span[0]), abs(self.span[1])))
        marks = value_ticks(self.span[0] * factor, self.span[1] * factor, count)
        for at, (value, text) in enumerate(marks):
            y = self.y(value / factor)
            self.curves.insert(0, el("path", cls="grid", d=f"M0 {y:.1f}H{WIDE:g}"))
            label = wording.with_unit(text, sign) if at == len(marks) - 1 else text
            self.texts.append(el("text", label, cls="tick", x="0", y=f"{y - 4:.1f}"))

    def times_axis(self, zone: str, count: int = 6) -> None:
        """Round local times."""
        for time, text, _ in time_ticks(int(self.ends[0]), int(self.ends[1]), zone, count):
            share = self.x(time) / WIDE
            if 0.04 < share < 0.96:
                self.text(time, text)

    def places_axis(self, marks: Iterable[tuple[float, str]]) -> None:
        """Words of one's own below the plot."""
        for place, text in marks:
            share = self.x(place) / WIDE
            self.text(place, text, "tick" if share < 0.02 else "tick end" if share > 0.98 else "tick mid")

    def drawn(self, says: str, cls: str = "") -> Markup:
        """The whole chart; ``says`` is for those who hear it."""
        plot = el(
            "svg", *self.curves, viewBox=f"0 0 {WIDE:g} {self.height}", preserveAspectRatio="none", width="100%",
            height=self.height,
        )  # fmt: skip
        over = el("svg", *self.texts, width="100%", height=self.height, cls="over")
        return el("div", plot, over, cls=f"drawing {cls}".strip(), role="img", aria_label=says)


def _share(place: float) -> str:
    return f"{place / WIDE * 100:.2f}%"
