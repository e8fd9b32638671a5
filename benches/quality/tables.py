"""The document of a run as Markdown; the page and the terminal show the same tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benches.quality.figures import VIEWS
from benches.quality.peers import PEERS
from benches.quality.ranks import FAMILIES, FIGURES
from benches.quality.run import NAB_ONE_IN, ONE_IN, WEEK
from watchband.pipeline.catalogue import CATALOGUE

TITLES = {
    "simulated": "Simulated worlds",
    "metric": "Services, each metric alone",
    "service max": "Services, the largest of their metrics",
    "service top 3": "Services, the three largest of their metrics",
    "service joined": "Services, all metrics read as one point",
    "nab": "Numenta's files",
}
Document = Mapping[str, Any]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def named(label: str) -> str:
    """Watchband's own in code letters."""
    return f"`{label}`" if label in CATALOGUE.table else label


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def spread(interval: Sequence[float | None], digits: int = 3, narrow: int = 2) -> str:
    """A figure with its interval."""
    value, low, high = interval
    if value is None or low is None or high is None:
        return number(value, digits)
    return f"{value:.{digits}f} ({low:.{narrow}f}–{high:.{narrow}f})"


def order(said: Document) -> list[str]:
    """Labels as they stand in the tables: by mean rank where there is one."""
    known = [r["label"] for r in said.get("ranks", [])]
    return known + [label for label in said["candidates"] if label not in known]


def ranking(said: Document) -> str:
    """Mean ranks of all who ran on everything."""
    if not said.get("ranks"):
        return ""
    families = [f for f in FAMILIES if f in said["ranks"][0]["families"]]
    heads = ["", "mean rank", f"behind {named(said['against'])}", *FIGURES, *families]
    rows = []
    for r in said["ranks"]:
        behind = "" if r["label"] == said["against"] else _signed(r["behind"], 1)
        cells = [number(r["figures"][f], 1) for f in FIGURES] + [number(r["families"][f], 1) for f in families]
        rows.append([named(r["label"]), spread(r["mean"], 1, 1), behind, *cells])
    return table(heads, rows)


def sample(said: Document) -> str:
    """Mean ranks of everybody on every third series; two peers are too slow for services."""
    if "sample" not in said:
        return ""
    three, two = ({r["label"]: r for r in said["sample"][key]} for key in ("every third", "without services"))
    heads = ["on every third series", "mean rank, three families", "without services", ""]
    rows = []
    for label in sorted(two, key=lambda name: (name not in three, three.get(name, two[name])["mean"][0])):
        behind = "" if label == said["against"] else _signed(two[label]["behind"], 1)
        first = spread(three[label]["mean"], 1, 1) if label in three else "–"
        rows.append([named(label), first, spread(two[label]["mean"], 1, 1), behind])
    return table(heads, rows)


def view(said: Document, name: str) -> str:
    """Every figure of one view."""
    rows = []
    series = max((f[name]["series"] for f in said["candidates"].values() if name in f), default=0)
    for label in order(said):
        v = said["candidates"][label].get(name)
        if v is None:
            continue
        part = "" if v["series"] == series else f", {v['series']} series"
        cells = [spread(v["f1"][str(b)]) for b in ONE_IN]
        cells += [spread(v["vus_pr"]), spread(v["vus_memory"]), number(v["vus_roc"])]
        cells += [spread(v["alerts a week"][str(b)], 2) for b in ONE_IN]
        cells += [number(v["delay"][str(b)][0], 0) for b in ONE_IN]
        rows.append([named(label) + part, *cells])
    if not rows:
        return ""
    budgets = [f"1/{b:,}" for b in ONE_IN]
    promised = [f"alerts a week ({WEEK / b:.2f} promised)" for b in ONE_IN]
    heads = [f"{series} series", *(f"F1 {b}" for b in budgets), "VUS-PR", "with memory", "VUS-ROC", *promised]
    return table([*heads, *(f"delay {b}" for b in budgets)], rows)


def parts(said: Document, part: str) -> str:
    """Event F1 of the simulated worlds, by kind of metric or of fault."""
    known = {label: said["candidates"][label].get(part) for label in order(said)}
    names = list(dict.fromkeys(name for f in known.values() for name in f or {}))
    if not names:
        return ""
    rows = [[named(label), *(number(f.get(n), 2) for n in names)] for label, f in known.items() if f]
    return table([f"F1 at 1/{ONE_IN[1]:,}", *names], rows)


def official(said: Document) -> str:
    """The benchmark's scores by half and profile, at its one threshold, over all alerts of a budget."""
    known = {label: f for label in order(said) if (f := said["candidates"][label].get("nab score"))}
    if not known:
        return ""
    halves = list(next(iter(known.values())))
    rows = [
        [named(label), *(" / ".join(number(v, 1) for v in f[half].values()) for half in halves)]
        for label, f in known.items()
    ]
    return table([f"standard / low FP / low FN, budget 1/{NAB_ONE_IN:,}", *halves], rows)


def against(said: Document) -> str:
    """One candidate beside the best of the others, figure by figure."""
    if not said.get("standings"):
        return ""
    rows = [
        [
            s["view"],
            s["figure"],
            number(s["value"]),
            named(s["best"]),
            number(s["best_value"]),
            _signed(s["difference"]),
        ]
        for s in said["standings"]
    ]
    return table(["view", "figure", named(said["against"]), "best other", "", "difference"], rows)


def peers(said: Document) -> str:
    """How every peer is run."""
    rows = []
    for name, peer in PEERS.items():
        less = [f"every third series of {', '.join(peer.thirds)}"] if peer.thirds else []
        less += [f"not on {', '.join(peer.never)}"] if peer.never else []
        rows.append([name, peer.run, "; ".join(less)])
    return table(["peer", "as run", "because it is slow"], rows)


def _signed(interval: Sequence[float | None], digits: int = 3) -> str:
    value, low, high = interval
    if value is None or low is None or high is None:
        return "–"
    narrow = 2 if digits > 2 else digits
    return f"{value:+.{digits}f} ({low:+.{narrow}f} to {high:+.{narrow}f})"


BLOCKS: dict[str, Callable[[Document], str]] = {
    "ranks": ranking,
    "sample": sample,
    **{name.replace(" ", "_"): lambda said, name=name: view(said, name) for name in VIEWS},
    "by_metric": lambda said: parts(said, "by metric"),
    "by_fault": lambda said: parts(said, "by fault"),
    "official": official,
    "against": against,
}
"""Every table by the name of its marks."""


def everything(said: Document) -> str:
    """All tables of a run with their titles."""
    titles = {name.replace(" ", "_"): title for name, title in TITLES.items()}
    text = ""
    for name, block in BLOCKS.items():
        if body := block(said):
            text += f"\n**{titles.get(name, name.replace('_', ' '))}**\n\n{body}"
    return text
