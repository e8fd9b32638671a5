"""Files that grow and are put aside: known by how they begin, so that no new name and no compression hides them."""

from __future__ import annotations

import bisect
import glob
import gzip
import hashlib
import os
import re
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HEAD_BYTES = 1024
"""So much of its beginning says which file it is, as soon as it has so much."""
BLOCK_BYTES = 256 << 10
LINE_MAX = 1 << 20
EXPANSION_MAX = 200
SETTLED_NS = 60 * 10**9
FILES_MAX = 500
"""Files that a position remembers."""
_ASIDE = re.compile(r"[.-][0-9][0-9_.:T-]*(\.gz)?")
_GZIP = b"\x1f\x8b"


@dataclass
class Track:
    """A file as far as it was read.

    Parameters
    ----------
    line : str
        The path that it had first: what is put aside keeps its series.
    head : int
        Bytes of its beginning that ``digest`` is of.
    digest : str
        Of those bytes.
    offset : int
        Bytes that were read, unpacked.
    sample : int
        Bytes of its beginning from which its columns were told.
    layout : object
        What reads its lines, once it was made.
    """

    line: str
    head: int
    digest: str
    offset: int = 0
    sample: int = 0
    layout: object = field(default=None, repr=False, compare=False)

    def dump(self) -> list[object]:
        """For a position."""
        return [self.line, self.head, self.digest, self.offset, self.sample]


@dataclass
class Here:
    """A file that is there now.

    ``current``: under the name that it had first; ``settled``: put aside, nothing will be added; ``file``: its inode.
    """

    path: Path
    line: str
    size: int
    changed: int
    packed: bool
    current: bool
    settled: bool
    file: int
    track: Track | None = None


@dataclass
class Follower:
    """Finds the files of some paths and globs, and which of them were read before under what name.

    Parameters
    ----------
    patterns : sequence of str
        Paths and globs.
    tracks : list of Track
        From a position.
    """

    patterns: Sequence[str]
    tracks: list[Track] = field(default_factory=list)
    _known: dict[Path, Here] = field(default_factory=dict)

    def look(self) -> list[Here]:
        """The files that are there, those that were put aside before the ones that took their place."""
        given = {path for pattern in self.patterns for path in _expanded(pattern)}
        paths = set(given)
        lines = {track.line for track in self.tracks} | {p for p in self.patterns if not glob.has_magic(p)}
        lines |= {str(path) for path in given if not path.name.endswith(".gz")}
        listed: dict[str, list[str]] = {}
        for line in lines:
            # What was put aside is read to its end, whether the user names it or not; with a number it is the past.
            paths |= set(_beside(line, listed))
        found = []
        for path in sorted(paths):
            here = self._here(path, lines, path in given)
            if here is not None:
                here.track = self._track(here)
                if here.track is not None or path in given or _ASIDE.fullmatch(str(path)[len(here.line) :]):
                    found.append(here)
        self._known = {here.path: here for here in found}
        return sorted(found, key=lambda here: (here.line, here.current, here.changed, str(here.path)))

    def _here(self, path: Path, lines: set[str], given: bool) -> Here | None:
        text = str(path)
        before = [text[:at] for at, mark in enumerate(text) if mark in ".-" and text[:at] in lines]
        # A file that the user names is put aside only if it looks so: web-1.csv is not a part of web.
        before = [line for line in before if not given or _ASIDE.fullmatch(text[len(line) :])]
        line = before[0] if before else text.removesuffix(".gz")
        try:
            stat = path.stat()
            known = self._known.get(path)
            if known is not None and (known.file, known.changed) == (stat.st_ino, stat.st_mtime_ns):
                packed = known.packed
            else:
                with path.open("rb") as raw:
                    packed = raw.read(2) == _GZIP
        except OSError:
            return None
        aside = text != line
        # Whoever writes may do so for a moment after the file was given another name.
        settled = packed or (aside and time.time_ns() > stat.st_mtime_ns + SETTLED_NS)
        return Here(path, line, stat.st_size, stat.st_mtime_ns, packed, not aside, settled, stat.st_ino)

    def _track(self, here: Here) -> Track | None:
        before = self._known.get(here.path)
        if before is not None and (before.file, before.size, before.changed) == (here.file, here.size, here.changed):
            return before.track
        for track in self.tracks:
            if track.line == here.line and digest_of(here.path, track.head) == track.digest:
                return track
        return None

    def begin(self, here: Here, sample: bytes, skip: int) -> Track:
        """Follow a file from now on; its first row, behind ``skip`` bytes, is part of what it is known by."""
        row = sample.find(b"\n", skip) + 1
        cut = sample.rfind(b"\n", 0, HEAD_BYTES) + 1
        head = sample[: max(row, cut)]
        here.track = Track(here.line, len(head), _digest(head), skip, len(sample))
        self.tracks.append(here.track)
        if len(self.tracks) > FILES_MAX:
            there = {id(known.track) for known in self._known.values()} | {id(here.track)}
            gone = next((track for track in self.tracks if id(track) not in there), None)
            self.tracks.remove(here.track if gone is None else gone)
            if gone is None:
                here.track = None
                raise ValueError(f"more than {FILES_MAX} files: this one is left out. Give them to several sources.")
        return here.track

    def grown(self, here: Here, track: Track) -> None:
        """A file that was short when it was first seen is known by more of it."""
        if track.head < HEAD_BYTES:
            head = first_lines(here.path, HEAD_BYTES)
            if track.head < len(head) <= HEAD_BYTES:
                track.head, track.digest = len(head), _digest(head)


def blocks(here: Here, offset: int) -> Iterator[bytes]:
    """Whole lines behind an offset; a last line without an end only where nothing more will be added.

    Raises
    ------
    OSError, EOFError, zlib.error
        The file cannot be read, or not unpacked.
    ValueError
        A line of more than 1 MiB.
    """
    rest = b""
    for data in _pieces(here.path, offset):
        data = rest + data
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        if cut:
            yield data[:cut]
        if len(rest) > LINE_MAX:
            raise ValueError(f"a line of more than {LINE_MAX:,} bytes")
    if rest and here.settled:
        yield rest


def first_lines(path: Path, most: int) -> bytes:
    """Whole lines from the beginning, up to so many bytes; the first line even if it is longer."""
    data = b""
    try:
        for piece in _pieces(path, 0):
            data += piece
            if len(data) > most and b"\n" in data:
                break
    except (OSError, EOFError, zlib.error):
        return b""
    cut = data.rfind(b"\n", 0, most) + 1
    return data[: cut or data.find(b"\n") + 1]


def digest_of(path: Path, size: int) -> str:
    """What a file's first bytes come to; empty where it is shorter or cannot be read."""
    data = b""
    try:
        for piece in _pieces(path, 0, min(size, BLOCK_BYTES)):
            data += piece
            if len(data) >= size:
                return _digest(data[:size])
    except (OSError, EOFError, zlib.error):
        return ""
    return ""


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _pieces(path: Path, offset: int, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    with path.open("rb") as raw:
        if raw.read(2) != _GZIP:
            raw.seek(offset)
            while data := raw.read(size):
                yield data
            return
        raw.seek(0)
        with gzip.open(raw) as unpacked:
            done = 0
            while data := unpacked.read(size):
                done += len(data)
                if done > (raw.tell() + 65_536) * EXPANSION_MAX:
                    raise OSError("it grows too much when unpacked")
                if done > offset:
                    yield data[max(0, len(data) - (done - offset)) :]


def _expanded(pattern: str) -> list[Path]:
    if not glob.has_magic(pattern):
        return [Path(pattern)] if Path(pattern).is_file() else []
    found = (Path(name) for name in glob.iglob(pattern, recursive=True))  # noqa: PTH207 (absolute patterns)
    return [path for path in found if path.is_file()]


def _beside(line: str, listed: dict[str, list[str]]) -> Iterator[Path]:
    """Files of the same directory whose names begin with this one and a dot or a dash."""
    folder, base = os.path.split(line)
    if folder not in listed:
        try:
            listed[folder] = sorted(os.listdir(folder or "."))  # noqa: PTH208 (names, many of them)
        except OSError:
            listed[folder] = []
    names = listed[folder]
    for mark in "-.":
        at = bisect.bisect_left(names, base + mark)
        while at < len(names) and names[at].startswith(base + mark):
            path = Path(folder, names[at])
            if path.is_file():
                yield path
            at += 1
