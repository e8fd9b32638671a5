"""Every text of the tuning's report in one place, beside the sentences it shares with the terminal."""

from __future__ import annotations

TITLE = "Tuning"
HEADLINES = {
    "better": "Better, shown on a part that no search saw",
    "no difference": "No difference shown",
    "worse": "What was found is worse",
    "nothing found": "Nothing better was found",
    "kept": "Keep what you have",
    "changed": "A setting that comes to what you ask",
    "not met": "Nothing came to what you ask",
    "leaks": "These figures leak",
}
GLYPHS = {"better": "calm", "changed": "calm", "kept": "calm", "leaks": "warning"}
"""Of a decision; the others have a ring, not a warning: to know that nothing is shown is no fault."""
TABLE = "What was compared"
TABLE_NOTE = (
    "Chosen on: the part that configurations were chosen on, which flatters what was found. Held out: a later part, "
    "judged once, after the choice. Less what you have: on the same events, in pairs; a difference counts only where "
    "its interval leaves 0 out."
)
USE = "Use it"
USE_KEPT = "This is what you have: nothing else was shown to be better."
USE_CHOSEN = "As flags, and as a file to keep; parameters only."
CURVE = "What the search promised, and what came"
CURVE_NOTE = (
    "The line of the part it chose on can only rise; the line of the held-out part need not. What lies between is what "
    "the search learned of chance."
)
PARTS = "Which time was used for what"
RULE = "The rule of 35 rows, beside its intervals"
TRIALS = "Every configuration that was tried"
OPTIONS = "What was tried"
OPTIONS_NOTE = "Chosen on the earlier part; the later part was looked at once, for what was chosen and for the table."
BUDGETS = "Alerts a week by budget"
LEAK = "Divided at random, and in the order of time"
LEAK_NOTE = (
    "The interval of rows at random treats every row as an observation of its own, as whoever divides so does; rows of "
    "one event are none."
)
SETTINGS = "How this was made"
ROLES = {"default": "in use today", "found": "highest where it was chosen", "baseline": "simple baseline"}
COLUMNS = ("", "chosen on", "held out", "less what you have", "alerts a week", "delay", "normal points flagged")
UNSETTLED = ", but the limit lies within the interval"
KEYS = (
    ("j k", "next, previous card"),
    ("t", "every table that is folded"),
    ("d", "light, dark, system"),
    ("?", "these keys"),
)
SCRIPT = {"themes": {"": "as the system", "light": "light", "dark": "dark"}}


def tried(count: int) -> str:
    """How many configurations a table chose from.

    Examples
    --------
    >>> tried(54)
    '54 configurations tried'
    """
    return f"{count:,} configuration{'' if count == 1 else 's'} tried"
