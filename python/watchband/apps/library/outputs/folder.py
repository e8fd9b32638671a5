"""The folder of a run: made beside its place and moved there whole, so that a crash leaves no half of it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchband.core.errors import ConfigError, PermanentError

SUMMARY = "summary.json"


@contextmanager
def output_folder(target: Path) -> Iterator[Path]:
    """A fresh folder to write into, moved to ``target`` at the end; removed if anything fails.

    A ``target`` that holds only an earlier run of Watchband is replaced by the new one.

    Raises
    ------
    ConfigError
        ``target`` is a file, or a folder with anything in it that an earlier run did not write.
    PermanentError
        It cannot be made there.
    """
    target = target.expanduser().resolve()
    check_target(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))
    except OSError as error:
        raise PermanentError(f"Cannot write to {target}: {error.strerror}. Choose another --out folder.") from error
    try:
        yield made
        made.chmod(0o755)
        _move(made, target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _move(made: Path, target: Path) -> None:
    check_target(target)
    if not target.exists():
        made.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent)) / "run"
    target.rename(old)
    made.rename(target)
    shutil.rmtree(old.parent, ignore_errors=True)


def check_target(target: Path) -> None:
    """Raise ConfigError unless ``target`` may be replaced: absent, empty, or wholly written by an earlier run."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ConfigError(f"--out {target} is a file. Name a folder.")
    present = list_files(target)
    ours = _files_of_run(target / SUMMARY)
    foreign = [name for name in present if name not in ours]
    if foreign:
        raise ConfigError(
            f"--out {target} holds {foreign[0]!r}, which Watchband did not write"
            f"{f' (and {len(foreign) - 1} more such files)' if len(foreign) > 1 else ''}. "
            "Nothing was changed; name a new or empty folder."
        )


def list_files(folder: Path) -> list[str]:
    """Every file below ``folder`` as a relative path with ``/``, sorted."""
    found = (Path(base) / name for base, _, names in os.walk(folder) for name in names)
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _files_of_run(summary: Path) -> set[str]:
    try:
        data = json.loads(summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    if not isinstance(data, dict) or "watchband" not in data:
        return set()
    files = data.get("files")
    return {SUMMARY, *(name for name in files if isinstance(name, str))} if isinstance(files, list) else set()
