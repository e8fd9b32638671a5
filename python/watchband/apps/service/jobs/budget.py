"""Budget: what a watch would have alerted, counted on every one of its series instead of on some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchband.apps.service.tasks import Found, Task, Work
from watchband.apps.service.views.watches import Asked, previewing

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

SERIES_A_STEP = 64
"""As many lie in a block of the scores: each is read once."""


def budget_job(service: Service, watch: str, asked: Asked) -> Work:
    """The work that counts; its document is that of the quick preview.

    Raises
    ------
    ConfigError
        No such watch, one without a budget, or nothing kept to look at.
    """
    counting = previewing(service, watch, asked)
    names = counting.names

    def work(task: Task) -> Found:
        for at in range(0, len(names), SERIES_A_STEP):
            task.progress(f"series {at:,} of {len(names):,}", at, len(names))
            counting.take(names[at : at + SERIES_A_STEP])
        return Found(counting.document())

    return work
