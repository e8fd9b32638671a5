"""What was to happen, beside what did."""

from __future__ import annotations

from dataclasses import dataclass

from tools.aws_demo.cold_store import Day
from tools.aws_demo.four_hosts import Fortnight
from watchband.core.duration import DAY, MINUTE
from watchband.evaluation.simulate.scenes.evaporator import EVENT, MINUTES
from watchband.evaluation.simulate.scenes.hosts import INCIDENT_HOST, INCIDENTS, ROWS


@dataclass(frozen=True)
class Outcome:
    """A fact, as it should be and as it was."""

    what: str
    expected: str | None
    came: str

    @property
    def right(self) -> bool:
        """Whether it was as it should be; what is only shown always is."""
        return self.expected in (None, self.came)


def clock(minute: int) -> str:
    """A minute of the day as people write it.

    Examples
    --------
    >>> clock(722)
    '12:02'
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"


def of_the_cold_store(day: Day) -> list[Outcome]:
    """Nine readings, one alert at the fifth, told at once, and its end."""
    first, last = EVENT
    flagged, learning = (
        ", ".join(f"{points} from {clock(minute)}" for minute, points in found) for found in (day.alerts, day.learning)
    )
    archived = sum(one["exported"]["exported"]["readings"] for one in day.archived)
    told = [minute for minute, text in day.texts if not text.startswith("Ended")]
    ended = [minute for minute, text in day.texts if text.startswith("Ended")]
    return [
        Outcome("cold store: readings beyond the cut-off", f"{last - first + 1} from {clock(first)}", flagged),
        Outcome("cold store: the same by a forest that goes on learning", None, learning),
        Outcome("cold store: alert, at the fifth in a row", clock(first + 4), ", ".join(map(clock, told))),
        Outcome("cold store: its end is told", "once", "once" if len(ended) == 1 else f"{len(ended)} times"),
        Outcome("cold store: cut-offs in the history", "1", str(len(day.cutoffs))),
        Outcome("cold store: readings in the archive", str(DAY // MINUTE + MINUTES), str(archived)),
    ]


def of_the_hosts(weeks: Fortnight) -> list[Outcome]:
    """Six incidents, all of one host, and nothing of its ordinary load."""
    host = str(INCIDENT_HOST + 1)
    expected = ", ".join(f"{host} {moment}" for moment in INCIDENTS)
    came = ", ".join(f"{which} {time[5:16]}" for which, time in weeks.critical)
    opened = [text for text in weeks.texts if text.startswith("Critical: ")]
    return [
        Outcome("four hosts: rows", str(4 * ROWS), str(weeks.records)),
        Outcome("four hosts: rows called Critical", expected, came),
        Outcome("four hosts: alerts told", str(len(INCIDENTS)), str(len(opened))),
    ]
