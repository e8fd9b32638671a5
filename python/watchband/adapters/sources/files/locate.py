"""Which files are meant, and which format each has."""

from __future__ import annotations

import glob
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from watchband.adapters.objects.place import FilePath
from watchband.adapters.sources.files.archived import ArchivedDay, ArchiveReader, archived_days
from watchband.adapters.sources.files.blocks import TextFile
from watchband.adapters.sources.files.columns import Reader
from watchband.adapters.sources.files.delimited import DelimitedReader
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.json_documents import JsonReader
from watchband.adapters.sources.files.json_lines import JsonLinesReader
from watchband.adapters.sources.files.parquet import ParquetReader
from watchband.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from watchband.adapters.objects.template import Template

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
ZIPPED = tuple(suffix + packed for packed in (".gz", ".zst") for suffix in SUFFIXES[:5])
_ADDRESS = ("s3://", "file://")


@dataclass(frozen=True, slots=True)
class Found:
    """One file: where it is, what people call it, and the stem that may name a metric.

    Files of one ``group`` go on where the one before ended: the same name is the same series in all of them.
    """

    path: FilePath
    name: str
    stem: str
    group: str = ""


_READERS: dict[str, Callable[[Found], Reader]] = {
    "csv": lambda f: DelimitedReader(f.path, f.name),
    "jsonl": lambda f: JsonLinesReader(f.path, f.name),
    "json": lambda f: JsonReader(f.path, f.name, f.stem),
    "prometheus": lambda f: JsonReader(f.path, f.name, f.stem),
    "parquet": lambda f: ParquetReader(f.path, f.name),
}


def stem_of(name: str) -> str:
    """``dir/cpu.csv.gz`` → ``cpu``."""
    base = Path(name).name
    lower = base.lower()
    for suffix in (*ZIPPED, *SUFFIXES, ".gz", ".zst", ".txt"):
        if lower.endswith(suffix) and len(base) > len(suffix):
            return base[: -len(suffix)]
    return base


def locate(paths: Iterable[str | os.PathLike[str]], spool: Path, stdin: BinaryIO | None = None) -> list[Found]:
    """Files, directories (recursively, known suffixes), globs, addresses and ``-`` as a list without repeats.

    Raises
    ------
    ConfigError
        A path that does not exist, a glob or directory without a file to read.
    AdapterError
        What an address names cannot be reached.
    """
    found: dict[FilePath, Found] = {}
    for given in [os.fspath(path) for path in paths]:
        if given == "-":
            path = _spool(spool, stdin or sys.stdin.buffer)
            found[path] = Found(path, "standard input", "stdin")
            continue
        if given.startswith(_ADDRESS):
            found.update((one.path, one) for one in _objects(given) if one.path not in found)
            continue
        for path in _expand(given):
            found.setdefault(path.resolve(), Found(path, str(path), stem_of(path.name)))
    if not found:
        raise ConfigError("No file to read. Give a file, a directory, a glob, or - for standard input.")
    return list(found.values())


def _objects(given: str) -> list[Found]:
    """What an address means; objects that differ by the date in their name are one file after the other."""
    from watchband.adapters.objects.address import Address, objects_of

    template = Address.parse(given).template
    if days := archived_days(given):
        return [Found(day, str(day), "value", given) for day in days]
    root = "/" if template.text.startswith("/") else ""
    found = []
    for path in objects_of(given, (*SUFFIXES, *ZIPPED)):
        group, stem = group_and_stem(template, root + path.entry.key)
        found.append(Found(path, str(path), stem, group))
    return found


def group_and_stem(template: Template, key: str) -> tuple[str, str]:
    """What an object is a piece of, if it is one, and the stem that may name a metric."""
    from watchband.adapters.objects.template import name_of

    group = template.group(key)
    stem = stem_of(name_of(group) if group else Path(key).name)
    return group, "value" if stem.startswith(".") else stem


def _expand(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and _is_known(p.relative_to(path)))
        if not inside:
            raise ConfigError(
                f"Directory {given!r} holds no file with a known suffix ({', '.join(SUFFIXES)}, or one of them with "
                ".gz or .zst behind it)."
            )
        return inside
    if path.exists():
        return [path]
    if glob.has_magic(given):
        matched = sorted(Path(name) for name in glob.iglob(given, recursive=True))  # noqa: PTH207 (absolute patterns)
        if files := [p for p in matched if p.is_file()]:
            return files
        raise ConfigError(f"No file matches {given!r} in {Path.cwd()}.")
    raise ConfigError(f"No such file or directory: {given!r}.")


def _is_known(path: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.parts)
    return not hidden and path.name.lower().endswith((*SUFFIXES, *ZIPPED))


def _spool(folder: Path, stdin: BinaryIO) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, prefix="stdin-", delete=False) as copy:
        shutil.copyfileobj(stdin, copy, 1 << 20)
        return Path(copy.name)


def open_reader(found: Found, hints: Hints) -> Reader:
    """Open one file in the format it has, whatever its name says.

    Raises
    ------
    DataError
        Empty, binary or damaged.
    """
    try:
        if isinstance(found.path, ArchivedDay):
            return ArchiveReader(found.path, found.name)
        kind = hints.format or _sniff(found)
        reader = _READERS[kind](found)
    except OSError as error:
        raise DataError(f"{found.name} cannot be read: {error.strerror or error}.") from None
    if hints.format is None and (said := _said(found.path.name)) and said != kind:
        reader.notes.append(f"the name says {said}, the content is {reader.format} and is read as such")
    return reader


def _said(name: str) -> str | None:
    suffix = Path(name.lower().removesuffix(".gz").removesuffix(".zst")).suffix
    kinds = {
        ".csv": "csv",
        ".tsv": "csv",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".parquet": "parquet",
        ".pq": "parquet",
    }
    return kinds.get(suffix)


def _sniff(found: Found) -> str:
    with found.path.open("rb") as raw:
        if raw.read(4) == b"PAR1":
            return "parquet"
    piece = next(TextFile(found.path, found.name).pieces(64 << 10), None)
    text = piece.text.lstrip() if piece else b""
    if text.startswith(b"["):
        return "json"
    if not text.startswith(b"{"):
        return "csv"
    first = text.splitlines()[0]
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return "json"
    document = isinstance(row.get("data"), dict) or isinstance(row.get("result"), list) or row.get("status") == "error"
    return "json" if document or isinstance(row.get("values"), list) else "jsonl"
