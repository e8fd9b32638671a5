"""The rule of choice, and what came of it, in sentences that claim no more than the intervals show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from watchband.analysis.training.outcome import Finalist
from watchband.analysis.tuning.decide import interval
from watchband.analysis.tuning.objective import Objective
from watchband.evaluation.metrics.bootstrap import Interval

RULE = (
    "Of each detector the trial with the highest {objective} on the validation part, and of these the highest; of "
    "equal ones that with fewer false alerts, then that with the smaller state. The test part has no say: it was "
    "looked at once, when all this was settled."
)
FEW_EVENTS = 10


def sentences(
    rows: Sequence[Finalist],
    against: Mapping[str, Interval],
    objective: Objective,
    events: tuple[int, int],
    looks: int = 1,
) -> list[str]:
    """What a manager may be told, the champion first."""
    champion = rows[0]
    before, after = (plain(part["objective"]) for part in (champion.validation, champion.test))
    told = [
        f"Champion: {champion.configuration.text}. {_capital(objective.words)} {before} where it was chosen, {after} "
        "on the held-out part.",
        *_beside(rows, against),
        *_gap(champion.gap),
    ]
    if min(events) < FEW_EVENTS:
        told.append(
            f"Labelled events where it was chosen: {events[0]}; where it was tested: {events[1]}. With so few, most "
            "differences are luck, as the intervals say."
        )
    if looks > 1:
        told.append(
            f"The held-out parts of this storage have been looked at {looks} times. Who goes on until it looks good "
            "has searched on them: trust a first look, or keep a later part back."
        )
    return told


def _beside(rows: Sequence[Finalist], against: Mapping[str, Interval]) -> list[str]:
    known = {row.label: against[row.label] for row in rows[1:] if np.isfinite(against[row.label].value)}
    better = [label for label, found in known.items() if found.low > 0]
    worse = [label for label, found in known.items() if found.high < 0]
    open_ = [label for label in known if label not in (*better, *worse)]
    told = []
    if better:
        told.append(f"On the held-out part it is shown to be better than {_listed(better)}.")
    if worse:
        told.append(
            f"On the held-out part it is shown to be worse than {_listed(worse)}: what was chosen on the validation "
            "part did not hold. Nothing was chosen anew; look at why before you use it."
        )
    if open_:
        told.append(f"Between it and {_listed(open_)} no difference is shown.")
    simple = [
        row for row in rows[1:] if row.role == "baseline" and row.validation["objective"].value
        > rows[0].validation["objective"].value
    ]  # fmt: skip
    if simple:
        told.append(
            f"On the validation part the baseline {_listed([row.label for row in simple])} did better than every "
            "candidate: try it first, it needs no model."
        )
    return told


def _gap(gap: Interval) -> list[str]:
    if not np.isfinite(gap.value):
        return []
    if np.isfinite(gap.low) and gap.low > 0:
        return [f"The choice is overfitted: validation had more than the test shows, by {interval(gap)}."]
    said = "no overfitting is shown, and none is ruled out" if gap.high > 0 else "it did even better on the test"
    return [f"From validation to test it lost {interval(gap)}: {said}."]


def plain(found: Interval) -> str:
    """``0.714 (0.359 to 0.918)``, without the interval where there is none."""
    return str(found) if np.isfinite(found.low) else f"{found.value:.3f}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
