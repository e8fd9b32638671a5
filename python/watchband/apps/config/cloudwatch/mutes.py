"""A mute rule as windows: once, or at a time of some days of the week."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchband.core.duration import DAY, SECOND, format_duration, parse_duration
from watchband.core.timestamp import format_rfc3339

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)\)")
_CRON = re.compile(r"cron\((\d{1,2}) (\d{1,2}) ([*?]) \* (\S+)\)")
# As cron counts: 0 and 7 are Sunday.
_NUMBERS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}


@dataclass(frozen=True)
class Mute:
    """A window that mutes.

    ``time`` is when it next begins, ns UTC; ``days`` is empty for one that does not come again.
    """

    name: str
    series: str
    time: int
    duration: int
    days: tuple[str, ...]
    zone: str
    until: int | None

    def body(self) -> dict[str, Any]:
        """Of ``POST /api/v1/windows``."""
        found: dict[str, Any] = {
            "name": self.name,
            "action": "mute",
            "series": self.series,
            "time": format_rfc3339(self.time),
            "duration": format_duration(self.duration),
        }
        if self.days:
            found |= {"days": list(self.days), "zone": self.zone}
            found |= {"until": format_rfc3339(self.until)} if self.until else {}
        return found

    def command(self) -> list[str]:
        """The same in a shell."""
        again = f" --days {','.join(self.days)} --zone {self.zone}" if self.days else ""
        ends = f" --until {format_rfc3339(self.until)}" if self.until and self.days else ""
        return [
            f"watchband window add {_quoted(self.name)} --series {_quoted(self.series)} \\",
            f"  --at {format_rfc3339(self.time)} --for {format_duration(self.duration)}{again}{ends}",
        ]


def mute_of(rule: Mapping[str, Any], selectors: Mapping[str, str], now: int) -> list[Mute] | str:
    """The windows of a rule, one for each of its alarms; or why there are none."""
    schedule = (rule.get("Rule") or {}).get("Schedule") or {}
    alarms = (rule.get("MuteTargets") or {}).get("AlarmNames") or ()
    text, name = str(schedule.get("Expression", "")).strip(), str(rule.get("Name", "mute"))
    series = {selectors[alarm]: None for alarm in alarms if alarm in selectors}
    if not series:
        return "none of its alarms was taken over."
    try:
        zone = ZoneInfo(str(schedule.get("Timezone") or "UTC"))
        duration = parse_duration(str(schedule.get("Duration", "")))
    except (ZoneInfoNotFoundError, ValueError) as error:
        return f"its schedule cannot be read: {error}"
    once, again = _AT.fullmatch(text), _CRON.fullmatch(text)
    if once is not None:
        time, days = datetime.fromisoformat(once[1]).replace(tzinfo=zone), tuple[str, ...]()
        if _ns(time) + duration <= now:
            return "it is over."
    elif again is not None:
        found = _days(again[4])
        if found is None or int(again[1]) > 59 or int(again[2]) > 23:
            return f"the days of {text} are not those of a week. Make the window by hand: watchband window add."
        if duration > DAY:
            return f"{text} lasts longer than a day; a window that comes again does not. Make several by hand."
        days, time = found, _next(now, zone, int(again[2]), int(again[1]), found)
    else:
        return f"{text} is no time of days of the week. Make the window by hand: watchband window add."
    expires = rule.get("ExpireDate")
    until = None if expires is None else round(float(expires) * SECOND)
    return [Mute(name, one, _ns(time), duration, days, str(zone), until) for one in series]


def _days(text: str) -> tuple[str, ...] | None:
    """Days of the week of a field of cron; all of them for ``*``."""
    if text in ("*", "?"):
        return DAYS
    numbers: set[int] = set()
    for part in text.lower().split(","):
        ends = [_NUMBERS.get(end[:3], int(end) if end.isdecimal() else -1) for end in part.split("-")]
        if len(ends) > 2 or not all(0 <= end <= 7 for end in ends):
            return None
        first, last = ends[0], ends[-1]
        numbers |= {day % 7 for day in range(first, last + 1 if last >= first else last + 8)}
    return tuple(day for day in DAYS if _NUMBERS[day] in numbers)


def _next(now: int, zone: ZoneInfo, hour: int, minute: int, days: tuple[str, ...]) -> datetime:
    today = datetime.fromtimestamp(now / SECOND, UTC).astimezone(zone)
    for ahead in range(9):
        time = (today + timedelta(days=ahead)).replace(hour=hour, minute=minute, second=0, microsecond=0)
        if DAYS[time.weekday()] in days and _ns(time) > now:
            return time
    raise AssertionError


def _ns(time: datetime) -> int:
    return round(time.timestamp()) * SECOND


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
