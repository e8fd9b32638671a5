"""The report of a tuning as one page."""

from __future__ import annotations

from watchband.apps.library.tuning.tuning import Tuning


def render(tuning: Tuning) -> str:
    """The whole page as text."""
    return "\n".join(tuning.sentences)
