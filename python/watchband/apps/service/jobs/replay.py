"""Replay: a watch folds the kept log once more, beside the one that runs, and the two are compared bit for bit."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from watchband.apps.service.tasks import Found, Task, Work
from watchband.core.errors import ConfigError
from watchband.pipeline.replay import check

if TYPE_CHECKING:
    from watchband.apps.service.service import Service


def replay_job(service: Service, watch: str, shard: str) -> Work:
    """The work that checks a watch against its log; nothing is changed.

    Raises
    ------
    ConfigError
        No such watch.
    """
    bound = next((one for one in service.runner.bounds if one.name == watch), None)
    if bound is None:
        raise ConfigError(f"There is no watch {watch!r}. Known: {', '.join(sorted(service.config.watches))}.")

    def work(task: Task) -> Found:
        found = check(bound, service.store, shard, lambda _, done, of: task.progress("folding the log", done, of))
        return Found(dataclasses.asdict(found))

    return work
