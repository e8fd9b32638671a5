"""A text message of at most 140 characters: which sensor, what it reads, what was expected, since when.

The alphabet of text messages is GSM 03.38: 7 bits a character, and two characters' room for ``^{}[]\\~|€``. One
character outside it turns the whole message into UTF-16, 67 of which fit into a part instead of 153. So what can be
written with that alphabet is; only a name in another script makes a message of two parts.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from watchband.adapters.sinks.message import event_of, headline, plain
from watchband.core import wording
from watchband.core.alert import Alert
from watchband.core.duration import SECOND
from watchband.core.levels import level_name
from watchband.core.ports import Notice

TEXT_MAX = 140
"""Characters, and as many septets: one part."""
UNITS_MAX = 134
"""Of UTF-16: two parts of 67."""
NAME_MIN = 24
"""Room that the sensor's name has at least."""
ELSE_MAX = TEXT_MAX - NAME_MIN
_LOOKED_AT = 400
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("^{}\\[~]|€")
_INSTEAD = {
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-",
    "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"',
    "\u2026": "..", "\u00d7": "x", "\u2022": "*", "\u00b5": "u", "\u03bc": "u", "\u00b0": "", "\u221e": "inf",
    "\u0060": "'", "\u00b4": "'", "\t": " ", "\u2264": "<=", "\u2265": ">=", "\u2192": "->", "\u2190": "<-",
    "\u2068": "", "\u2069": "", "\u200c": "", "\u200d": "", "\u0131": "i", "\u0142": "l", "\u0141": "L",
    "\u0111": "d", "\u0110": "D", "\u00f0": "d", "\u00fe": "th", "\u0153": "oe", "\u0152": "OE",
}  # fmt: skip
_POWER = re.compile(r" × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_PLAIN_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def gsm(text: str) -> str:
    """The text in the alphabet of text messages as far as it can be written so; other scripts stay.

    Examples
    --------
    >>> gsm("−3.05\u00a0µs, expected 0.5–1 × 10⁻⁷ … Łódź, Ñandú, 温度")
    '-3.05 us, expected 0.5-1e-7 .. Lodz, Ñandu, 温度'
    """
    text = _POWER.sub(lambda m: "e" + m[1].translate(_PLAIN_DIGITS), text)
    return "".join(map(_written, unicodedata.normalize("NFC", text)))


def _written(character: str) -> str:
    if character in _GSM or character in _ESCAPED:
        return character
    if character in _INSTEAD:
        return _INSTEAD[character]
    bare = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    fits = bare and all(c in _GSM or c in _ESCAPED for c in bare)
    return bare if fits else character


def is_gsm(text: str) -> bool:
    """Whether a text needs nothing but the alphabet of text messages."""
    return all(c in _GSM or c in _ESCAPED for c in text)


def septets(text: str) -> int:
    """How much of a message of 160 septets a text of the alphabet takes.

    Examples
    --------
    >>> septets("abc"), septets("{€}")
    (3, 6)
    """
    return len(text) + sum(c in _ESCAPED for c in text)


def units(text: str) -> int:
    """Units of UTF-16: two for what lies outside the first plane.

    Examples
    --------
    >>> units("温度"), units("🔥")
    (2, 2)
    """
    return len(text.encode("utf-16-le", "replace")) // 2


def fits(text: str) -> bool:
    """Whether a text is no longer than a message may be."""
    return septets(text) <= TEXT_MAX if is_gsm(text) else units(text) <= UNITS_MAX


def text_of(notice: Notice) -> str:
    """The text message of a notice, at most 140 characters whatever the names of metric and labels.

    Of a sensor's name that is too long the middle is left out: it says ``..`` there.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> text_of(Notice(an_alert(), 1, "phone"))
    'Info: cpu a is 9, expected 0-2, since 1 Jan 00:00 UTC'
    """
    alert = notice.alert
    for make in (_whole, _short, _shortest):
        before, after = (gsm(part) for part in make(notice))
        if septets(before) + septets(after) <= ELSE_MAX:
            break
    name = gsm(_name(alert))
    return before + _cut(name, lambda part: fits(before + part + after)) + after


def _name(alert: Alert) -> str:
    """The metric, then the values of its labels, which say which one it is."""
    values = (plain(value, _LOOKED_AT) for value in alert.series.labels.values())
    return plain(" ".join([plain(alert.series.metric, _LOOKED_AT), *values]), _LOOKED_AT) or "a series"


def _cut(text: str, good: Callable[[str], bool]) -> str:
    """As much of a text as is good, its middle left out; more of its beginning than of its end."""
    if good(text):
        return text
    for kept in range(len(text) - 1, -1, -1):
        head = -(-kept * 3 // 5)
        tail = text[len(text) - (kept - head) :] if kept > head else ""
        part = f"{text[:head].rstrip()}..{tail.lstrip()}"
        if good(part):
            return part
    return ""


def _whole(notice: Notice) -> tuple[str, str]:
    """What stands before the name and after it, with as many digits as tell value and band apart."""
    return _parts(notice, None)


def _short(notice: Notice) -> tuple[str, str]:
    """The same with three digits."""
    return _parts(notice, 3)


def _parts(notice: Notice, digits: int | None) -> tuple[str, str]:
    alert = notice.alert
    since = f", since {_moment(alert.opened, notice.zone)}"
    value, band = _said(alert, digits, unit=True)
    if event_of(notice) == "ended":
        was = f" (was {value}{band})" if value and alert.kind != "no data" else ""
        unheard = notice.revision == 1
        word = f"{alert.severity.capitalize()}, ended: " if unheard else "Ended: "
        return word, f" {_ending(alert)}{was}{since}"
    return f"{alert.severity.capitalize()}: ", f" {_wrong(alert, value)}{band}{since}"


def _wrong(alert: Alert, value: str) -> str:
    """What is wrong, without the band."""
    reading = f"is {value}" if value else "has no number to tell"
    words = {
        "no data": "sends nothing",
        "stuck": f"is stuck at {value}" if value else "is stuck",
        "level": f"stays at {value}" if value else "stays elsewhere",
        "pattern": f"runs unlike before, {reading}",
        "variance": f"varies unlike before, {reading}",
        "drift": f"drifts, {reading}",
        "breach": f"nears its threshold, {reading}",
        "out of range": f"{reading}, out of range",
    }
    return words.get(alert.kind, reading)


def _ending(alert: Alert) -> str:
    words = headline(alert)
    return words if len(words) <= 60 else "is as usual again"


def _shortest(notice: Notice) -> tuple[str, str]:
    """The least that says it: for numbers so far apart that no unit suits them all."""
    alert = notice.alert
    value, band = _said(alert, 3, unit=False)
    word = "Ended" if event_of(notice) == "ended" else alert.severity.capitalize()
    is_ = "was" if word == "Ended" else "is"
    said = f" {is_} {value}" if value else f" {is_} strange ({alert.kind})"
    return f"{word}: ", f"{said}{band}, since {_moment(alert.opened, notice.zone)}"


def _said(alert: Alert, digits: int | None, *, unit: bool) -> tuple[str, str]:
    """The reading, and what was expected as the end of a sentence; empty where they are not known."""
    if level := level_name(alert.series.metric, alert.value):
        usual = level_name(alert.series.metric, alert.upper)
        return level, f", expected at most {usual}" if usual else ""
    values = [alert.value, alert.lower, alert.upper, alert.expected]
    texts, sign = wording.quantities(alert.series.metric, values, digits)
    sign = sign if unit else ""
    value, low, high, middle = (text if math.isfinite(v) else "" for text, v in zip(texts, values, strict=True))
    band = wording.span(low, high, sign) if low or high else f"near {wording.with_unit(middle, sign)}" if middle else ""
    return wording.with_unit(value, sign) if value else "", f", expected {band}" if band else ""


def _moment(time: int, zone: str) -> str:
    """Day, minute and zone: it may be read late, and far away."""
    local = datetime.fromtimestamp(time // SECOND, UTC).astimezone(ZoneInfo(zone))
    day = wording.moment(time - time % (60 * SECOND), zone).split(" ")
    return f"{day[0]} {day[1]} {day[3]} {local.tzname() or 'UTC'}"
