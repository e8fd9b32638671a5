"""Backup: a whole and checked copy of the store's directory, while the service goes on."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from watchband.apps.service.tasks import Found, Task, Work
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

FOLDER = "-backups"
_PHASES = {"database": "copying the database", "checking": "checking the copy", "archive": "linking the archive"}
_AT = {"database": (0.0, 0.5), "checking": (0.5, 0.3), "archive": (0.8, 0.2)}
"""Where in the whole each part begins, and how much of it it is."""

_ELSEWHERE = {
    "postgres": "Use 'pg_dump', see the page of the store.",
    "dynamodb": "Switch on point-in-time recovery of the table, see the page of the store.",
}


def backup_job(service: Service) -> Work:
    """The work that copies the store to ``PATH-backups/TIME`` beside it.

    Raises
    ------
    ConfigError
        The store is none of files.
    """
    settings = service.config.store
    if settings.kind != "sqlite":
        raise ConfigError(
            f"The store is {settings.kind!r}, which has no directory to copy. "
            + _ELSEWHERE.get(settings.kind, "Nothing of it lasts.")
        )
    directory = Path(settings.path)  # type: ignore[attr-defined]
    name = datetime.fromtimestamp(service.clock.now() // SECOND, UTC).strftime("%Y-%m-%dT%H%M%SZ")

    def work(task: Task) -> Found:
        from watchband.adapters.stores.sqlite.backup import backup

        def tell(part: str, done: int, of: int) -> None:
            begins, share = _AT[part]
            task.progress(_PHASES[part], begins + share * done / max(of, 1), 1)

        target = directory.with_name(directory.name + FOLDER) / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        made = backup(directory, target, clock=service.clock, progress=tell)
        return Found({"directory": str(target), **dataclasses.asdict(made)})

    return work
