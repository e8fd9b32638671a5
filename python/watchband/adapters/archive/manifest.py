"""The manifest of an archive: which objects count, and how far each log is in them.

::

    _watchband/manifest.json             the root: cursors, and a list for each data set and month
    _watchband/lists/NAME-DIGEST.json    a list: the parts of a month, written once and never changed

Only the root is ever written anew, and only in the place of the one that was read (``If-Match``, ``If-None-Match``): of
two writers one wins, the other meets ``ChangedError`` and starts over from what the first has made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from watchband.adapters.objects.folder import digest
from watchband.adapters.objects.place import ChangedError, Entry, GoneError, Place
from watchband.core.errors import DataError

FORMAT = 1
FOLDER = "_watchband/"
ROOT = FOLDER + "manifest.json"
LISTS = FOLDER + "lists/"
BYTES_MAX = 64 << 20
TRIES = 8
"""Times that a change is made over what others wrote, and that lists are looked for that were replaced meanwhile."""
PARTITIONS = ("date", "metric")


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the archive; written once, never changed.

    Parameters
    ----------
    key : str
        Below the archive's own folder; it ends with a part of its digest.
    rows, nbytes : int
        What it holds.
    digest : str
        Of its bytes.
    first, last : int
        Earliest and latest time in it, ns UTC.
    shard : str
        Of which log; empty where it is of none.
    low, high : int
        First and last entry of that log in it.
    """

    key: str
    rows: int
    nbytes: int
    digest: str
    first: int
    last: int
    shard: str = ""
    low: int = 0
    high: int = 0

    @property
    def dataset(self) -> str:
        """``readings``, ``entries``, ``marks``, ``alerts`` or ``results``."""
        return self.key.split("/", 1)[0]

    @property
    def partition(self) -> str:
        """Its folder: ``readings/date=2026-01-31``."""
        return self.key.rpartition("/")[0]

    @property
    def date(self) -> str:
        """The day (UTC) whose rows it holds."""
        return self.key.rpartition("date=")[2][:10]

    @property
    def list(self) -> str:
        """The list that names it."""
        return f"{self.dataset}/{self.date[:7]}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a log is archived.

    Parameters
    ----------
    entry : int
        Everything up to this entry is, in the archive's count.
    digest : str
        Of that entry: whether a store is the one that was archived shows by it.
    behind : int
        By how much the store's own numbers are less: it was restored, and began to count anew.
    time : int
        The latest time of a reading so far, ns UTC.
    compared : int
        Entries up to this one are compared with what is there: the store was not the one that was archived before.
    """

    entry: int = 0
    digest: str = ""
    behind: int = 0
    time: int = 0
    compared: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as the root names it: its key and bytes, and what the parts in it come to."""

    key: str
    size: int
    parts: int
    rows: int
    nbytes: int


@dataclass(frozen=True)
class Root:
    """What counts.

    Parameters
    ----------
    partition : str
        How readings are parted: by ``date``, or by ``metric`` and date.
    cursors : mapping
        By shard.
    lists : mapping
        By data set and month, ``readings/2026-01``.
    results : str
        Scores and bands are archived up to and with this day; empty: none.
    left : mapping of str to int
        Objects that count no more, and since when (ns UTC): removed once nobody can be reading them.
    gaps : sequence of (shard, first, last)
        Entries that had left the log before they could be archived.
    revision : int
        Counts the changes.
    etag : str
        Of the object that it was read from; empty: there was none.
    """

    partition: str = "date"
    cursors: Mapping[str, Cursor] = field(default_factory=dict)
    lists: Mapping[str, Listed] = field(default_factory=dict)
    results: str = ""
    left: Mapping[str, int] = field(default_factory=dict)
    gaps: Sequence[tuple[str, int, int]] = ()
    revision: int = 0
    etag: str = ""

    def rows(self, dataset: str) -> int:
        """Rows of a data set."""
        return sum(one.rows for name, one in self.lists.items() if name.startswith(f"{dataset}/"))

    def to_bytes(self) -> bytes:
        """As it is written."""
        document = {"format": FORMAT, **{k: v for k, v in asdict(self).items() if k != "etag"}}
        return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def of(cls, document: Mapping[str, Any], etag: str) -> Root:
        """The inverse."""
        return cls(
            partition=str(document["partition"]),
            cursors={str(name): Cursor(**one) for name, one in document["cursors"].items()},
            lists={str(name): Listed(**one) for name, one in document["lists"].items()},
            results=str(document["results"]),
            left={str(key): int(since) for key, since in document["left"].items()},
            gaps=[(str(shard), int(low), int(high)) for shard, low, high in document["gaps"]],
            revision=int(document["revision"]),
            etag=etag,
        )


@dataclass(frozen=True)
class Change:
    """What a writer wants to become of a manifest.

    Parameters
    ----------
    add, drop : collections
        Parts that count from now on, and keys of those that count no more.
    now : int
        When, ns UTC.
    more : mapping
        Other fields of the root with their new values.
    """

    add: Sequence[Part] = ()
    drop: Collection[str] = ()
    now: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)


class Manifest:
    """The manifest of one archive.

    Parameters
    ----------
    place : Place
        Where it lies.
    folder : str
        Of the archive in there: empty, or with a ``/`` at its end.
    """

    def __init__(self, place: Place, folder: str) -> None:
        self.place, self.folder = place, folder

    def root(self) -> Root:
        """The root as it is now; an empty one where there is no archive yet.

        Raises
        ------
        DataError
            It is damaged, or of a later release.
        """
        for attempt in range(TRIES):
            entry = self.place.find(self.folder + ROOT)
            if entry is None:
                return Root()
            try:
                return Root.of(self._document(ROOT, entry), entry.etag)
            except (ChangedError, GoneError):
                # Somebody wrote it between the two questions.
                if attempt + 1 == TRIES:
                    raise
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise self._damaged(ROOT, error) from None
        raise AssertionError("unreachable")

    def parts(self, dataset: str, months: tuple[str, str] = ("", "9999"), root: Root | None = None) -> list[Part]:
        """The parts of a data set, by key; of the months from the first to the last of ``months``.

        Raises
        ------
        DataError
            As ``root``; or a list is missing.
        """
        for attempt in range(TRIES):
            now = root or self.root()
            names = [n for n in sorted(now.lists) if n.startswith(f"{dataset}/")]
            some = [n for n in names if months[0] <= n.rpartition("/")[2] <= months[1]]
            try:
                return [part for name in some for part in self._list(now.lists[name])]
            except GoneError:
                # Replaced since the root was read, and swept away.
                if attempt + 1 == TRIES or root is not None:
                    raise
        raise AssertionError("unreachable")

    def _list(self, listed: Listed) -> list[Part]:
        try:
            document = self._document(listed.key, Entry(self.folder + listed.key, listed.size))
            return [Part(**one) for one in document["parts"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged(listed.key, error) from None

    def _document(self, key: str, entry: Entry) -> dict[str, Any]:
        if entry.size > BYTES_MAX:
            raise DataError(f"{self.where(key)} has {entry.size:,} bytes: it is no part of a manifest.")
        with self.place.open(entry) as file:
            body = file.read()
        try:
            document = json.loads(body)
            known = document["format"]
        except (ValueError, TypeError, KeyError) as error:
            raise self._damaged(key, error) from None
        if known != FORMAT:
            raise DataError(
                f"{self.where(key)} has format {known!r}; this release reads {FORMAT}. Take a later release."
            )
        named = re.fullmatch(rf"{LISTS}.*-([0-9a-f]+)\.json", key)
        if named is not None and not digest(body).startswith(named[1]):
            raise self._damaged(key, ValueError("its checksum is not that of its name"))
        return dict(document)

    def _damaged(self, key: str, error: Exception) -> DataError:
        return DataError(f"{self.where(key)} is damaged ({error}). Restore the version before it.")

    def where(self, key: str) -> str:
        """The address of an object, for messages."""
        return f"{self.place.name}/{self.folder}{key}"

    def commit(self, make: Callable[[Root], Change | None]) -> Root:
        """Change the root; where somebody else was quicker, over theirs.

        Parameters
        ----------
        make : callable
            What is wanted over a root; None: nothing. It is asked again over every new root.

        Returns
        -------
        Root
            As it is then.

        Raises
        ------
        ChangedError
            Others were quicker each time.
        """
        for attempt in range(TRIES):
            root = self.root()
            change = make(root)
            if change is None:
                return root
            try:
                return self._commit(root, change)
            except (ChangedError, GoneError):
                if attempt + 1 == TRIES:
                    raise
        raise AssertionError("unreachable")

    def try_commit(self, root: Root, change: Change) -> Root:
        """Change this very root; ``ChangedError`` where it is not the last one any more."""
        return self._commit(root, change)

    def _commit(self, root: Root, change: Change) -> Root:
        lists = dict(root.lists)
        dropped = set(change.drop)
        touched: dict[str, list[Part]] = {}
        for part in change.add:
            touched.setdefault(part.list, []).append(part)
        for key in dropped:
            dataset, _, date = key.partition("/")[0], "", key.rpartition("date=")[2]
            touched.setdefault(f"{dataset}/{date[:7]}", [])
        for name, fresh in sorted(touched.items()):
            before = self._list(lists[name]) if name in lists else []
            parts = {part.key: part for part in (*before, *fresh) if part.key not in dropped}
            lists.pop(name, None)
            if parts:
                lists[name] = self._write_list(name, [parts[key] for key in sorted(parts)])
        kept = {part.key for part in change.add}
        left = {key: since for key, since in root.left.items() if key not in kept}
        fields = {"left": left | dict.fromkeys(sorted(dropped), change.now), **change.more}
        fresh_root = replace(root, lists=lists, revision=root.revision + 1, **fields)
        etag = self.place.put(self.folder + ROOT, fresh_root.to_bytes(), instead_of=root.etag)
        return replace(fresh_root, etag=etag)

    def _write_list(self, name: str, parts: Sequence[Part]) -> Listed:
        body = (json.dumps({"format": FORMAT, "parts": [asdict(p) for p in parts]}) + "\n").encode()
        key = f"{LISTS}{name.replace('/', '-')}-{digest(body)}.json"
        put_once(self.place, self.folder + key, body)
        return Listed(key, len(body), len(parts), sum(p.rows for p in parts), sum(p.nbytes for p in parts))


def put_once(place: Place, key: str, body: bytes) -> None:
    """Write an object whose name says what is in it: one that is there already is the same."""
    try:
        place.put(key, body, instead_of="")
    except ChangedError:
        found = place.find(key)
        if found is None or found.size != len(body):
            # A folder on a disk that was full: cut short by another program.
            place.put(key, body)


def months(first: int, last: int) -> tuple[str, str]:
    """The months of two times (ns UTC), for ``Manifest.parts``.

    Examples
    --------
    >>> months(0, 40 * 86_400 * 10**9)
    ('1970-01', '1970-02')
    """
    from watchband.adapters.archive.rows import date_of

    return date_of(first)[:7], date_of(last)[:7]


def within(parts: Iterable[Part], since: int, until: int) -> Iterator[Part]:
    """The parts that hold anything of a range of time."""
    return (part for part in parts if part.last >= since and part.first < until)
