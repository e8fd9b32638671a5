"""Backup and restore of a store's directory: consistent, checked, beside the process that has it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from watchband.adapters.stores.archive import FOLDER
from watchband.adapters.stores.sqlite.database import FILE, Database, held
from watchband.adapters.stores.sqlite.schema import check_version
from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import ConfigError, PermanentError, TransientError

MANIFEST = "backup.json"
MODELS = "models"
"""Beside the database: files of trained models that watches run, each written once and never changed."""
PARTIAL = ".partial"
TRIES = 3
Progress = Callable[[str, int, int], None]
"""What is done, how many bytes of it, of how many."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Parameters
    ----------
    made : int
        When, ns UTC.
    format : int
        Of the database.
    database : int
        Its bytes.
    files, bytes : int
        Files of the archive, and their bytes.
    linked : int
        Those of them that are hard links: they take no room of their own on this disk.
    entries, series, alerts : int
        What is in it.
    models : mapping of str to str
        Model files, with their checksums.
    """

    made: int
    format: int
    database: int
    files: int
    bytes: int
    linked: int
    entries: int
    series: int
    alerts: int
    models: Mapping[str, str] = field(default_factory=dict)


def backup(directory: Path, target: Path, *, clock: Clock | None = None, progress: Progress | None = None) -> Backup:
    """Copy a store into a directory that is made for it, while others write; whole when it returns, or not there.

    Raises
    ------
    ConfigError
        The target is there already, or the directory holds no store.
    PermanentError
        What was copied is damaged: the store is.
    TransientError
        The disk is full, for example.
    """
    if target.exists():
        raise ConfigError(f"{target} is there already. Give a directory that is to be made, one for each backup.")
    partial = target.with_name(target.name + PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    now = (clock or SystemClock()).now()
    try:
        for attempt in range(TRIES):
            try:
                found = _copied(directory, partial, now, progress)
                break
            except FileNotFoundError:
                # A file was gathered with others between the copy of the database and its turn: copy anew.
                shutil.rmtree(partial)
                if attempt == TRIES - 1:
                    raise
        _write(partial / MANIFEST, json.dumps(asdict(found), indent=1).encode())
        partial.rename(target)
        _sync(target.parent)
        return found
    except OSError as error:
        raise TransientError(f"The backup {target} could not be written: {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copied(directory: Path, partial: Path, now: int, progress: Progress | None) -> Backup:
    partial.mkdir(parents=True, mode=0o700)
    tell = progress or (lambda *_: None)
    database = Database(directory, readonly=True)
    try:
        tell("database", 0, max(database.path.stat().st_size, 1))
        database.backup(partial / FILE)
    finally:
        database.close()
    _sync_file(partial / FILE)
    size = (partial / FILE).stat().st_size
    tell("checking", 0, size)
    rows, counts = checked(partial / FILE)
    linked, at = 0, 0
    total = sum(length for _, length in rows)
    for name, length in rows:
        linked += _link(directory / FOLDER / name, partial / FOLDER / name)
        if (partial / FOLDER / name).stat().st_size != length:
            raise PermanentError(f"The archive file {directory / FOLDER / name} has not its {length:,} bytes: damaged.")
        at += length
        tell("archive", at, max(total, 1))
    models = {}
    for path in sorted((directory / MODELS).glob("*.wbm")):
        _link(path, partial / MODELS / path.name)
        models[path.name] = _checksum(partial / MODELS / path.name)
    version, entries, series, alerts = counts
    return Backup(now, version, size, len(rows), total, linked, entries, series, alerts, models)


def checked(path: Path) -> tuple[Sequence[tuple[str, int]], tuple[int, int, int, int]]:
    """Look through a whole database: its files of the archive, and its format, entries, series and alerts.

    Raises
    ------
    PermanentError
        It is damaged.
    StateVersionError
        It is of another release, or of another program.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as sql:
        try:
            check_version(sql, path)
            said = [row[0] for row in sql.execute("PRAGMA integrity_check(5)")]
            if said != ["ok"]:
                raise PermanentError(f"{path} is damaged: {'; '.join(said)}.")
            version = int(sql.execute("PRAGMA user_version").fetchone()[0])
            counts = [int(sql.execute(f"SELECT count(*) FROM {t}").fetchone()[0]) for t in ("log", "series", "alerts")]
            files = sql.execute("SELECT name, bytes FROM archive ORDER BY name").fetchall()
        except sqlite3.Error as error:
            raise PermanentError(f"{path} is damaged: {error}.") from error
    return files, (version, counts[0], counts[1], counts[2])


def restore(source: Path, directory: Path, *, replace: bool = False, progress: Progress | None = None) -> Backup:
    """Put a backup where a store is kept. What was there is kept beside it.

    Parameters
    ----------
    source : Path
        A directory that ``backup`` made.
    directory : Path
        Of the store.
    replace : bool, default False
        Set a store that is there aside, as ``DIRECTORY.before-restore``; without it, it is an error.

    Raises
    ------
    ConfigError
        No backup, or a store is there.
    PermanentError
        The backup is damaged, or a process has the store: nothing was changed.
    """
    if not (source / MANIFEST).exists():
        raise ConfigError(
            f"{source} is no backup: there is no {MANIFEST}. Give a directory that 'watchband backup' made."
        )
    aside = directory.with_name(directory.name + ".before-restore")
    occupied = directory.exists() and any(directory.iterdir())
    if occupied and not replace:
        raise ConfigError(f"{directory} is not empty. Give another one, or --replace to set it aside as {aside}.")
    if occupied and aside.exists():
        raise ConfigError(f"{aside} is there already, from an earlier restore. Move it away.")
    partial = directory.with_name(directory.name + PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with held(directory) if occupied else nullcontext():
            found = _brought(source, partial, progress or (lambda *_: None))
            if occupied:
                directory.rename(aside)
            elif directory.exists():
                directory.rmdir()
            partial.rename(directory)
            _sync(directory.parent)
        return found
    except OSError as error:
        raise TransientError(f"The backup could not be put at {directory}: {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _brought(source: Path, partial: Path, tell: Progress) -> Backup:
    try:
        said = Backup(**json.loads((source / MANIFEST).read_text()))
    except (ValueError, TypeError) as error:
        raise PermanentError(f"{source / MANIFEST} cannot be read ({error}): the backup is damaged.") from error
    partial.mkdir(parents=True, mode=0o700)
    tell("database", 0, said.database)
    shutil.copyfile(source / FILE, partial / FILE)
    (partial / FILE).chmod(0o600)
    _sync_file(partial / FILE)
    tell("checking", 0, said.database)
    files, _ = checked(partial / FILE)
    at = 0
    for name, length in files:
        path = source / FOLDER / name
        if not path.exists() or path.stat().st_size != length:
            raise PermanentError(f"The backup is damaged: {path} is missing or has not its {length:,} bytes.")
        _link(path, partial / FOLDER / name)
        at += length
        tell("archive", at, max(said.bytes, 1))
    for name, checksum in said.models.items():
        path = source / MODELS / name
        if Path(name).name != name or not path.is_file() or _checksum(path) != checksum:
            raise PermanentError(f"The backup is damaged: the model {path} is missing or was changed.")
        _link(path, partial / MODELS / name)
    return said


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _link(path: Path, target: Path) -> bool:
    """A hard link, or a copy where the disk is another one; files of the archive are never changed in place."""
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(exist_ok=True, mode=0o700)
    try:
        os.link(path, target)
        return True
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, target)
        target.chmod(0o600)
        _sync_file(target)
        return False


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o600)
    _sync_file(path)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
