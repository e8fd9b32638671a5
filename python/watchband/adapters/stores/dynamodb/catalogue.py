"""Which number stands for which series, and what is known of each: kept in blocks, so that a count costs little."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from watchband.adapters.stores.dynamodb.attributes import PART
from watchband.adapters.stores.dynamodb.tables import Look, Tables, Work
from watchband.adapters.stores.rows import PAGE
from watchband.adapters.stores.seen import Seen, add_seen, seen_in
from watchband.core.entry import Columns
from watchband.core.errors import StateCorruptError
from watchband.core.keeping import SeriesRecord
from watchband.core.series import SeriesKey

SERIES, SEEN = "series", "seen"
BLOCK = 256
"""Series whose records stand in one item."""


def log_of(shard: str) -> str:
    """The partition of a shard's log."""
    return f"log#{shard}"


def at(sequence: int) -> str:
    """The sort key that all parts of an entry begin with."""
    return f"{sequence:016d}"


class Catalogue(Tables):
    """The part of the store that knows series."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        self._numbers: dict[SeriesKey, int] = {}
        self._keys: list[SeriesKey] = []
        super().__init__(*given, **settings)

    def _meet(self, look: Look) -> None:
        """Learn of series that have come since; a number never changes its series."""
        known = len(self._keys)
        if known >= look.root["series"]:
            return
        for row in look.query(SERIES, f"{known + 1:010d}", f"{look.root['series'] + 1:010d}"):
            key = SeriesKey.parse(row["key"])
            self._keys.append(key)
            self._numbers[key] = len(self._keys)
        if len(self._keys) != look.root["series"]:
            raise StateCorruptError(
                f"The table {self.table.name!r} has {len(self._keys):,} of {look.root['series']:,} series. Restore it "
                "to a point in time."
            )

    def number(self, work: Work, look: Look, keys: Iterable[SeriesKey], new: dict[SeriesKey, int]) -> list[int]:
        """The numbers of series; those that have none get one with this write, and stand in ``new``."""
        found = []
        for key in keys:
            number = self._numbers.get(key) or new.get(key)
            if number is None:
                self._meet(look)
                number = self._numbers.get(key)
            if number is None:
                work.root["series"] += 1
                number = new[key] = work.root["series"]
                work.put(SERIES, f"{number:010d}", key=str(key))
            found.append(number)
        return found

    def known(self, look: Look, numbers: Sequence[int]) -> list[SeriesKey]:
        """The series of some numbers.

        Raises
        ------
        StateCorruptError
            The table does not know one of them.
        """
        if numbers and max(numbers) > len(self._keys):
            self._meet(look)
        try:
            return [self._keys[number - 1] for number in numbers]
        except IndexError:
            raise StateCorruptError(f"The log names series {max(numbers)}, which the table does not know.") from None

    def numbered(self, look: Look, key: SeriesKey) -> int | None:
        """The number of a series that was ever seen."""
        if key not in self._numbers:
            self._meet(look)
        return self._numbers.get(key)

    def payloads(self, look: Look, shard: str, after: int) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Entries behind ``after``: attributes of the first part, and all bytes."""
        first, last = max(after, look.root["floors"].get(shard, 0)) + 1, look.root["heads"].get(shard, 0)
        if first > last:
            return
        expected = first
        parts: list[bytes] = []
        for row in look.query(log_of(shard), at(first), at(last + 1), page=PAGE):
            sequence, part = map(int, row["sk"].split("."))
            # An attempt that came to nothing may have left more parts than the entry has.
            if part == 0:
                head, parts = row, []
            elif sequence != head["sequence"] or part >= head["parts"]:
                continue
            if sequence != expected:
                break
            parts.append(row["entry"])
            if len(parts) == head["parts"]:
                yield head, b"".join(parts)
                expected += 1
        if expected <= last:
            raise StateCorruptError(
                f"Entry {expected} of shard {shard!r} is missing. Restore the table to a point in time."
            )

    def series(self) -> Sequence[SeriesRecord]:
        """Every series that was ever seen."""
        with self.reading() as look:
            self._meet(look)
            records = {i + 1: SeriesRecord(key, "", None, None, 0) for i, key in enumerate(self._keys)}  # type: ignore[arg-type]
            for row in look.query(SEEN):
                add_seen(records, [_unpacked(row["rows"])])
            for shard in look.root["heads"]:
                add_seen(records, self._uncounted(look, shard))
        return sorted((one for one in records.values() if one.points), key=lambda s: str(s.key))

    def _uncounted(self, look: Look, shard: str) -> Iterator[Seen]:
        entries = self.payloads(look, shard, look.root["counted"].get(shard, 0))
        while some := [Columns.from_bytes(opened(data)[1]) for _, data in islice(entries, PAGE)]:
            yield seen_in(some)

    def count(self, work: Work, look: Look, at_least: int = 1) -> None:
        """Bring the records of series up to the end of every log, as a part of a write."""
        for shard, head in look.root["heads"].items():
            if head - look.root["counted"].get(shard, 0) >= at_least:
                self._count(work, look, shard)
                work.root["counted"] = {**work.root["counted"], shard: head}

    def _count(self, work: Work, look: Look, shard: str) -> None:
        blocks: dict[int, dict[int, SeriesRecord]] = {}
        for seen in self._uncounted(look, shard):
            self.known(look, list(seen))
            for number, found in seen.items():
                block = (number - 1) // BLOCK
                if block not in blocks:
                    blocks[block] = self._block(work, look, block)
                add_seen(blocks[block], [{number: found}])
        for block, records in blocks.items():
            work.put(SEEN, f"{block:08d}", rows=_packed(records))

    def _block(self, work: Work, look: Look, block: int) -> dict[int, SeriesRecord]:
        first = block * BLOCK
        records = {
            first + i + 1: SeriesRecord(key, "", None, None, 0)  # type: ignore[arg-type]
            for i, key in enumerate(self._keys[first : first + BLOCK])
        }
        mine = [c.item for c in work.changes if (c.pk, c.sk) == (SEEN, f"{block:08d}") and c.item]
        row = mine[-1] if mine else look.get(SEEN, f"{block:08d}")
        if row:
            add_seen(records, [_unpacked(row["rows"])])
        return records


def closed(document: Mapping[str, Any], *parts: bytes) -> bytes:
    """An entry as bytes: positions and which marks there are, the readings, and the marks."""
    text = json.dumps({**document, "sizes": [len(part) for part in parts]}, separators=(",", ":")).encode()
    return b"".join([len(text).to_bytes(4, "little"), text, *parts])


def opened(data: bytes) -> tuple[dict[str, Any], bytes, list[bytes]]:
    """The inverse: the document, the readings, the marks.

    Raises
    ------
    StateCorruptError
        It is cut short.
    """
    try:
        begin = 4 + int.from_bytes(data[:4], "little")
        document = json.loads(data[4:begin])
        parts = []
        for size in document["sizes"]:
            parts.append(data[begin : begin + size])
            begin += size
        if begin != len(data) or not parts:
            raise ValueError(f"{len(data)} bytes, expected {begin}")
    except (ValueError, KeyError, TypeError) as error:
        raise StateCorruptError(f"An entry of the log cannot be read ({error}).") from error
    return document, parts[0], parts[1:]


def pieces(data: bytes) -> list[bytes]:
    """Bytes in parts of an item each; nothing is one part."""
    return [data[i : i + PART] for i in range(0, max(len(data), 1), PART)]


def _packed(records: Mapping[int, SeriesRecord]) -> bytes:
    rows = [[n, r.source, r.first, r.last, r.points] for n, r in records.items() if r.points]
    return zlib.compress(json.dumps(rows).encode(), 1)


def _unpacked(data: bytes) -> Seen:
    return {
        number: (source, first, last, points)
        for number, source, first, last, points in json.loads(zlib.decompress(data))
    }
