"""Names of objects with dates and wildcards in them: ``metrics/{date}/*.csv.gz``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from watchband.core.duration import DAY, HOUR, MINUTE, SECOND
from watchband.core.errors import ConfigError

DAYS_MAX = 400
"""Days that are listed one by one; beyond, everything is listed that the template's beginning allows."""
_TOKEN = re.compile(r"\{(date|hour)(?::([^{}]*))?\}|\{part\}|\*\*/?|\*")
_WILD = {"*": "([^/]*)", "**": "(.*)", "**/": "((?:.*/)?)", "{part}": "[^/]*"}
_PARTS = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}", "H": r"\d{2}", "M": r"\d{2}"}
_DEFAULT = {"date": "%Y-%m-%d", "hour": "%H"}
_SPANS = {"M": MINUTE, "H": HOUR, "d": DAY}


@dataclass(frozen=True, slots=True)
class Template:
    """A template of keys.

    ``{date}`` is ``2026-01-31``, ``{hour}`` two digits; ``{date:%Y/%m/%d}`` any form of %Y, %m, %d, %H and %M.
    ``*`` is anything up to the next slash, ``**`` anything; ``{part}`` is like ``*``, but what differs in it only are
    pieces of one table, as what differs in its date only.

    Parameters
    ----------
    text : str
        What the user wrote.

    Raises
    ------
    ConfigError
        A name in braces, or a letter behind %, that is not known.

    Examples
    --------
    >>> days = Template("cpu/{date}/*.csv")
    >>> days.span("cpu/2026-01-31/a.csv") == (1769817600 * 10**9, 1769904000 * 10**9)
    True
    >>> days.span("cpu/2026-02-30/a.csv") is None, days.fits("cpu/2026-01-31/b/a.csv")
    (True, False)
    >>> list(days.prefixes(1769817600 * 10**9, 1769904000 * 10**9))
    ['cpu/2026-01-31/']
    """

    text: str

    def __post_init__(self) -> None:
        rest = _TOKEN.sub("", self.text)
        if "{" in rest or "}" in rest:
            raise ConfigError(
                f"{self.text!r} has braces that are no part of a date. Write {{date}} or {{date:%Y/%m/%d}}."
            )
        for match in _TOKEN.finditer(self.text):
            form = _form(match)
            if form is not None and (unknown := set(re.findall(r"%(.?)", form)) - set(_PARTS)):
                raise ConfigError(
                    f"{match[0]} in {self.text!r} has %{sorted(unknown)[0]}, which is not known. "
                    "Expected %Y, %m, %d, %H, %M."
                )
        if self.dated and not {"Y", "m"} <= self._names:
            raise ConfigError(f"{self.text!r} has a date without a year or a month: write {{date}}, or %Y and %m too.")

    @property
    def plain(self) -> bool:
        """Whether it is the name of one object or folder."""
        return _TOKEN.search(self.text) is None

    @property
    def _names(self) -> set[str]:
        forms = [_form(match) or "" for match in _TOKEN.finditer(self.text)]
        return set(re.findall(r"%(.)", "".join(forms)))

    @property
    def dated(self) -> bool:
        """Whether a key says a time."""
        return bool(self._names)

    @property
    def beginning(self) -> str:
        """What every key begins with."""
        match = _TOKEN.search(self.text)
        return self.text[: match.start()] if match else self.text

    def _pattern(self) -> re.Pattern[str]:
        found, seen, at = [], set[str](), 0
        for match in _TOKEN.finditer(self.text):
            found.append(re.escape(self.text[at : match.start()]))
            form, at = _form(match), match.end()
            if form is None:
                found.append(_WILD[match[0]])
                continue
            for part in re.split(r"(%.)", form):
                if not part.startswith("%"):
                    found.append(re.escape(part))
                elif part[1] in seen:
                    found.append(f"(?P={part[1]})")
                else:
                    seen.add(part[1])
                    found.append(f"(?P<{part[1]}>{_PARTS[part[1]]})")
        return re.compile("".join(found) + re.escape(self.text[at:]), re.DOTALL)

    def fits(self, key: str) -> bool:
        """Whether a key is one of the template."""
        return self.span(key) is not None

    def wild(self, key: str) -> list[str]:
        """What stands in a key for each ``*`` and ``**``.

        Examples
        --------
        >>> Template("cpu/*/{date}-*.csv").wild("cpu/eu/2026-01-31-web-1.csv")
        ['eu', 'web-1']
        """
        match = self._pattern().fullmatch(key)
        if match is None:
            return []
        named = set(match.re.groupindex.values())
        return [match[number] for number in range(1, match.re.groups + 1) if number not in named]

    def group(self, key: str) -> str:
        """What a key is a piece of: the template with its wildcards filled in; empty: it stands for itself.

        Examples
        --------
        >>> Template("cpu/{date}/*.csv").group("cpu/2026-01-31/web-1.csv")
        'cpu/{date}/web-1.csv'
        >>> Template("cpu/*.csv").group("cpu/web-1.csv")
        ''
        """
        if not self.fits(key) or not (self.dated or "{part}" in self.text):
            return ""
        wild = iter(self.wild(key))
        return _TOKEN.sub(lambda m: m[0] if m[0].startswith("{") else next(wild), self.text)

    def span(self, key: str) -> tuple[int, int] | None:
        """The time that a key says, ns UTC: beginning and end; None where it does not fit, all time without a date."""
        match = self._pattern().fullmatch(key)
        if match is None:
            return None
        said = {name: int(text) for name, text in match.groupdict().items()}
        if not said:
            return -(2**63), 2**63 - 1
        try:
            begin = datetime(said["Y"], said["m"], said.get("d", 1), said.get("H", 0), said.get("M", 0), tzinfo=UTC)
        except ValueError:
            return None
        start = round(begin.timestamp()) * SECOND
        for name, length in _SPANS.items():
            if name in said:
                return start, start + length
        following = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
        return start, round(following.timestamp()) * SECOND

    def prefixes(self, since: int | None, until: int | None) -> Iterator[str]:
        """What is listed for a window of time, ns UTC: a beginning for each day where that is less than everything."""
        if since is None or until is None or not self.dated or until - since > DAYS_MAX * DAY:
            yield self.beginning
            return
        told: str | None = None
        for day in range(since // DAY, -(-until // DAY)):
            prefix = self._of_day(datetime.fromtimestamp(day * DAY // SECOND, UTC))
            if prefix != told:
                told = prefix
                yield prefix

    def _of_day(self, day: datetime) -> str:
        """The beginning of all keys of a day."""
        found, at = "", 0
        for match in _TOKEN.finditer(self.text):
            found += self.text[at : match.start()]
            form, at = _form(match), match.end()
            if form is None:
                return found
            known, narrower, _ = form.partition("%H") if "%H" in form else form.partition("%M")
            for name, text in (("%Y", f"{day:%Y}"), ("%m", f"{day:%m}"), ("%d", f"{day:%d}")):
                known = known.replace(name, text)
            found += known
            if narrower:
                return found
        return found + self.text[at:]


def _form(match: re.Match[str]) -> str | None:
    """How a token writes times; None: it is a wildcard."""
    return (match[2] or _DEFAULT[match[1]]) if match[1] else None


def name_of(group: str) -> str:
    """The last part of a group without its times; where nothing is left, the folder above, with its suffix.

    Examples
    --------
    >>> name_of("load/cpu-{date}.csv"), name_of("load/{date:%Y}/{date}.csv.gz")
    ('cpu.csv', 'load.csv.gz')
    """
    *folders, last = group.split("/")
    bare = re.sub(r"[-_.]+(?=\.)|^[-_]+", "", _TOKEN.sub("", last))
    if bare.strip("-_.") and not bare.startswith("."):
        return bare
    return next((name for name in reversed(folders) if name and not _TOKEN.search(name) and "=" not in name), "") + bare
