"""What a backtest says in sentences: the same words in terminal and report."""

from __future__ import annotations

from watchband.apps.library.backtest.result import Backtest
from watchband.core import wording
from watchband.core.duration import MINUTE, WEEK
from watchband.evaluation.backtest.choosing import EVENTS_MIN
from watchband.evaluation.metrics.bootstrap import Interval


def what_counts(found: Backtest) -> str:
    """Series, readings, how much of them counts.

    Nothing is said of a period where there is no series.
    """
    series = len(found.told)
    readings = sum(one.series.readings for one in found.told)
    text = f"{_count(readings, 'reading')}, {_count(series, 'series', 'series')}"
    if not found.told:
        return text
    first, last = min(one.span.start for one in found.told), max(one.span.end for one in found.told)
    weeks = sum(one.span.length for one in found.told) / WEEK
    text += f"; {wording.number(weeks)} series-weeks count, {_minute(first, found.zone)} to "
    return text + f"{_minute(last, found.zone)} {found.zone}"


def verdict(found: Backtest) -> str:
    """The first candidate in one sentence."""
    if not found.told:
        return "No series could be replayed for every candidate."
    name = found.names[0]
    one = found.figures[name]
    rate = f"{wording.number(one.alerts_per_week.value)} a week in each series"
    text = f"{name} would have alerted {_count(one.alerts, 'time')}, {rate}"
    if one.promised_per_week == one.promised_per_week:
        text += f" (promised {wording.number(one.promised_per_week)})"
    if found.labelled and one.events:
        text += f"; found {one.found} of {_count(one.events, 'event')}, {_count(one.false, 'false alert')}"
        text += f", {one.unknown:,} that nobody rated" if one.unknown else ""
    elif found.labelled:
        text += "; no event is labelled in what counts"
    return text + "."


def leading(found: Backtest) -> str:
    """Who is ahead, or that nobody is."""
    one = found.lead
    if one is None:
        return ""
    told = f"event F1 {_signed(one.difference)}"
    if one.clear:
        return f"{one.first} is ahead of {one.second}: {told}."
    if one.events < EVENTS_MIN:
        return f"No winner: {_count(one.events, 'event')} are too few to tell {one.first} and {one.second} apart."
    return f"No winner: {one.first} and {one.second} are too close to tell apart ({told})."


def overfitting(found: Backtest) -> list[str]:
    """What choosing would have brought, or that nothing here was chosen honestly."""
    choices = found.choices
    several = len(found.choosable) > 1
    if choices is None:
        return (
            [
                f"The best of {len(found.choosable)} on this past is no promise for the future: "
                "--splits chooses in one part and reports on a later one."
            ]
            if several and found.labelled
            else []
        )
    if not several:
        return ["--splits had nothing to choose from: give a second --detector, rule or policy."]
    times = {name: sum(one.chosen == name for one in choices.splits) for name in found.choosable}
    chosen = wording.listed([f"{name} ({count} ×)" for name, count in times.items() if count])
    lines = [f"Chosen in what came before, {_count(len(choices.splits), 'split')}: {chosen}."]
    if found.labelled:
        lines.append(
            f"Reported on what came after: event F1 {_span(choices.honest.event_f1)}, "
            f"{wording.number(choices.honest.alerts_per_week.value)} alerts a week; "
            f"lost from choosing to reporting: {_plain(choices.loss)}."
        )
    return lines


def _minute(time: int, zone: str) -> str:
    return wording.moment(time - time % MINUTE, zone)


def _span(one: Interval) -> str:
    if one.value != one.value:
        return "not known"
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"


def _signed(one: Interval) -> str:
    def sign(value: float) -> str:
        return f"{value:+.2f}".replace("-", wording.MINUS)

    return f"{sign(one.value)} ({sign(one.low)} to {sign(one.high)})"


def _plain(value: float) -> str:
    return "not known" if value != value else f"{value:.2f}".replace("-", wording.MINUS)


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
