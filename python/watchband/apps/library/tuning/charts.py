"""Charts of the tuning's report as SVG: places along the width are shares of it, so that no text shrinks on a phone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchband.analysis.tuning.budget import Option
from watchband.analysis.tuning.material import Parts
from watchband.analysis.tuning.result import Step
from watchband.analysis.tuning.search import Attempt
from watchband.apps.library.axes import value_ticks
from watchband.apps.library.report.markup import Markup, el
from watchband.evaluation.metrics.bootstrap import Interval
from watchband.pipeline.rules import Budget, parse_rule

HEIGHT, TOP, BOTTOM = 260, 14, 30
SCALE_HEIGHT = 22


def shared_range(intervals: Sequence[Interval]) -> tuple[float, float]:
    """Lowest and highest of all ends, with 0 in it."""
    ends = [x for i in intervals for x in (i.value, i.low, i.high) if np.isfinite(x)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    return (low, high) if high > low else (low, low + 1)


def scale(chosen_on: Interval, held_out: Interval, ends: tuple[float, float]) -> Markup:
    """A ring where it was chosen, a dot with its interval where it was held out, on one scale for all rows."""

    def x(value: float) -> str:
        return _share(2 + 96 * (min(max(value, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0]))

    middle = SCALE_HEIGHT / 2
    parts = [el("line", cls="rule", x1=x(ends[0]), x2=x(ends[1]), y1=middle, y2=middle)]
    if np.isfinite(held_out.low):
        parts.append(el("line", cls="reach", x1=x(held_out.low), x2=x(held_out.high), y1=middle, y2=middle))
    if np.isfinite(chosen_on.value):
        parts.append(el("circle", cls="promised", cx=x(chosen_on.value), cy=middle, r=4))
    if np.isfinite(held_out.value):
        parts.append(el("circle", cls="dot-ink", cx=x(held_out.value), cy=middle, r=4))
    return el("svg", *parts, height=SCALE_HEIGHT, cls="strip", aria_hidden="true")


class Plot:
    """A chart with ticks on the left inside it and texts below.

    Parameters
    ----------
    ends : (float, float)
        Lowest and highest value on the vertical axis.
    ticks : sequence of (float, str)
        On it.
    """

    def __init__(self, ends: tuple[float, float], ticks: Sequence[tuple[float, str]]) -> None:
        self.ends = ends
        self.parts: list[Markup] = []
        for value, text in ticks:
            y = self.y(value)
            self.parts.append(el("line", cls="grid", x1="0", x2="100%", y1=y, y2=y))
            self.parts.append(el("text", text, cls="tick", x="0", y=f"{float(y) - 4:.1f}"))

    def y(self, value: float) -> str:
        """Where a value lies, in pixels."""
        share = (value - self.ends[0]) / (self.ends[1] - self.ends[0])
        return f"{HEIGHT - BOTTOM - min(max(share, 0), 1) * (HEIGHT - TOP - BOTTOM):.1f}"

    def line(self, cls: str, left: float, low: float, right: float, high: float) -> None:
        """From one place to another; places along the width are 0 to 1."""
        self.parts.append(el("line", cls=cls, x1=_x(left), y1=self.y(low), x2=_x(right), y2=self.y(high)))

    def dot(self, cls: str, at: float, value: float, radius: float, title: str = "") -> None:
        """A mark that says what it is on hover; the table says it to everybody."""
        inside = el("title", title) if title else None
        self.parts.append(el("circle", inside, cls=cls, cx=_x(at), cy=self.y(value), r=radius))

    def text(self, cls: str, at: float, words: str, y: float = HEIGHT - 8) -> None:
        """Words below the plot, or at a height of their own."""
        self.parts.append(el("text", words, cls=cls, x=_x(at), y=y))

    def svg(self, label: str) -> Markup:
        """The whole chart; ``label`` is what it says to those who hear it."""
        return el("svg", *self.parts, height=HEIGHT, cls="strip curve", role="img", aria_label=label)


def curve(attempts: Sequence[Attempt], steps: Sequence[Step]) -> Markup:
    """Every trial where it was chosen, and the best so far on both parts."""
    known = [a.value for a in attempts if np.isfinite(a.value)] + [s.test for s in steps if np.isfinite(s.test)]
    low, high = min([*known, 0.0]), max([*known, 0.0])
    high = high if high > low else low + 1
    air = 0.06 * (high - low)
    plot = Plot((low, high + air), value_ticks(low, high + air))
    count = max(len(attempts), 2)
    for a in attempts:
        at = a.number / (count - 1)
        if np.isfinite(a.value):
            plot.dot("trial", at, a.value, 2.5, f"trial {a.number}: {a.value:.3f}, {a.configuration.text}")
        elif a.pruned:
            plot.dot("given-up", at, low, 2)
    for name in ("validation", "test"):
        cls = "chosen-line" if name == "validation" else "held-line"
        for one, after in zip(steps, [*steps[1:], None], strict=True):
            value, end = getattr(one, name), (after.number if after else count - 1) / (count - 1)
            if not np.isfinite(value):
                continue
            plot.line(cls, one.number / (count - 1), value, end, value)
            if after and np.isfinite(getattr(after, name)):
                plot.line(cls, end, value, end, getattr(after, name))
    plot.text("tick", 0, "trial 0")
    plot.text("tick end", 1, f"trial {count - 1}")
    last = steps[-1]
    return plot.svg(
        f"Best so far over {len(attempts)} trials: {last.validation:.3f} where it was chosen, {last.test:.3f} held out."
    )


def rates(options: Sequence[Option], asked: float) -> Markup:
    """Alerts a week by budget, both by ratio, on both parts, with what is asked."""
    some = [
        (rule.alerts, o)
        for o in options
        if o.kind == "budget" and isinstance(rule := parse_rule(o.configuration.rule), Budget)
    ]
    some.sort(key=lambda pair: pair[0])
    if len(some) < 2:
        return Markup("")
    least = min([asked, *(max(o.past.high, 0.01) for _, o in some)]) / 4
    most = max([asked, *(o.past.high for _, o in some), *(o.later.high for _, o in some)])
    ends = float(np.log10(least)), float(np.log10(most * 1.2))
    powers = range(int(np.floor(ends[0])), int(np.ceil(ends[1])) + 1)
    ticks = [(float(np.log10(m * 10.0**p)), f"{m * 10.0**p:g}") for p in powers for m in (1, 3)]
    plot = Plot(ends, [(v, t) for v, t in ticks if ends[0] <= v <= ends[1]])
    first, last = (float(np.log(some[i][0])) for i in (0, -1))
    plot.line("asked", 0, float(np.log10(asked)), 1, float(np.log10(asked)))
    plot.text("tick end", 1, f"asked: {asked:.3g} a week", float(plot.y(float(np.log10(asked)))) - 5)
    for budget, option in some:
        at = (float(np.log(budget)) - first) / max(last - first, 1e-9)
        for cls, found, aside in (("chosen", option.past, -0.004), ("held", option.later, 0.004)):
            place = min(max(at + aside, 0), 1)
            low, high = (float(np.log10(max(v, least))) for v in (found.low, found.high))
            plot.line(f"{cls}-reach", place, low, place, high)
            if found.value > 0:
                plot.dot("promised" if cls == "chosen" else "dot-ink", place, float(np.log10(found.value)), 4)
    plot.text("tick", 0, f"budget {some[0][0]:.3g} a week")
    plot.text("tick end", 1, f"{some[-1][0]:.3g} a week")
    return plot.svg(f"Alerts a week by budget, from {some[0][0]:.3g} to {some[-1][0]:.3g} a week, asked {asked:.3g}.")


def timeline(parts: Parts) -> Markup:
    """Warm-up, the part to choose on, the gap, the held-out part."""
    first = parts.validation.start - max(0, round(0.18 * (parts.test.stop - parts.validation.start)))
    whole = parts.test.stop - first

    def share(time: int) -> float:
        return 100 * (time - first) / whole

    blocks = (
        ("learn", first, parts.validation.start),
        ("chosen-block", parts.validation.start, parts.validation.stop),
        ("held-block", parts.test.start, parts.test.stop),
    )
    drawn = [
        el("rect", cls=cls, x=_share(share(a)), y=2, width=_share(share(b) - share(a)), height=20)
        for cls, a, b in blocks
    ]
    return el("svg", *drawn, height=24, cls="strip", aria_hidden="true")


def _x(at: float) -> str:
    # A little air at both ends, so that no mark is cut.
    return _share(1 + 98 * at)


def _share(percent: float) -> str:
    return f"{percent:.2f}%"
