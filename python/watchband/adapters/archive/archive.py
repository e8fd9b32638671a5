"""An archive at an address: its manifest, its parts, and what is read of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import numpy as np

from watchband.adapters.archive.manifest import FOLDER, Change, Manifest, Part, Root, months, put_once, within
from watchband.adapters.archive.rows import PartWriter, check_part, date_of, schema
from watchband.adapters.objects.address import Address
from watchband.adapters.objects.folder import digest
from watchband.adapters.objects.place import Entry, GoneError, Place
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import HOUR
from watchband.core.errors import ConfigError, DataError

GRACE = HOUR
"""Objects that count no more, or never did, stay so long: somebody may be reading or writing them."""
DATASETS = ("readings", "entries", "marks", "alerts", "results")
ALL_TIME = (-(2**63), 2**63 - 1)


class ObjectArchive:
    """An archive in a bucket or folder.

    Parameters
    ----------
    address : str
        A folder: ``s3://BUCKET/FOLDER/?region=eu-west-1`` or ``file:///FOLDER/``.
    clock : Clock, optional
        Says what time it is.

    Raises
    ------
    ConfigError
        It is no folder.
    """

    def __init__(self, address: str, clock: Clock | None = None) -> None:
        parsed = Address.parse(address)
        if not parsed.template.plain or parsed.since is not None or parsed.until is not None:
            raise ConfigError(f"An archive is a folder, without dates, wildcards and since=. Got {address!r}.")
        self.clock: Clock = clock or SystemClock()
        self.place: Place = parsed.place(self.clock)
        self.folder = "".join(f"{part}/" for part in parsed.template.text.split("/") if part)
        self.manifest = Manifest(self.place, self.folder)

    @property
    def name(self) -> str:
        """Its address, without how it is reached."""
        return f"{self.place.name}/{self.folder}"

    def close(self) -> None:
        """Let go of connections."""
        self.place.close()

    def put(self, dataset: str, partition: str, tables: Sequence[Any], shard: str = "") -> Part:
        """Write a part; it counts once a change of the manifest says so.

        Parameters
        ----------
        dataset, partition : str
            Which, and ``date=2026-01-31`` or ``metric=cpu/date=2026-01-31``.
        tables : sequence of pyarrow.Table
            Its rows, in order.
        shard : str
            Of which log they are.
        """
        writer = PartWriter(dataset)
        for table in tables:
            writer.add(table)
        return self.finish(writer, partition, shard)

    def finish(self, writer: PartWriter, partition: str, shard: str = "") -> Part:
        """Write what was gathered as a part; see ``put``."""
        body = writer.finish()
        told, low, high = digest(body), 0, 0
        if shard:
            low, high = writer.low, writer.high
        key = f"{writer.dataset}/{partition}/part-{plain(shard) or 'all'}-{low:012d}-{high:012d}-{told[:12]}.parquet"
        put_once(self.place, self.folder + key, body)
        return Part(key, writer.rows, len(body), told, writer.first, writer.last, shard, low, high)

    def parts(
        self, dataset: str, span: tuple[int, int] = ALL_TIME, root: Root | None = None, metric: str = ""
    ) -> list[Part]:
        """The parts that hold anything of a range of time, by key; of one metric, where they are parted by it."""
        found = self.manifest.parts(dataset, months(*span), root)
        wanted = f"metric={encoded(metric)}"
        return [p for p in within(found, *span) if not metric or "/metric=" not in p.key or f"/{wanted}/" in p.key]

    @contextmanager
    def open(self, part: Part) -> Iterator[Any]:
        """A part as ``pyarrow.parquet.ParquetFile``, read as it is needed.

        Raises
        ------
        DataError
            It is missing, or not what the manifest says.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        where = self.manifest.where(part.key)
        with self.place.open(self.entry(part)) as opened:
            try:
                file = pq.ParquetFile(opened, pre_buffer=False)
                check_part(part.dataset, file.schema_arrow, where)
                if file.metadata.num_rows != part.rows:
                    raise DataError(f"{where} has {file.metadata.num_rows:,} rows, the manifest says {part.rows:,}.")
                yield file
            except (pa.ArrowException, OSError) as error:
                said = str(error).splitlines()[0]
                raise DataError(f"{where} is damaged: {said} Restore the version before it.") from None

    def entry(self, part: Part) -> Entry:
        """The object of a part.

        Raises
        ------
        GoneError, DataError
            It is missing; it has another size.
        """
        entry = self.place.find(self.folder + part.key)
        where = self.manifest.where(part.key)
        if entry is None:
            raise GoneError(f"{where} is missing, and the manifest names it. Restore it from the bucket's versions.")
        if entry.size != part.nbytes:
            raise DataError(
                f"{where} is damaged: it has {entry.size:,} bytes, the manifest says {part.nbytes:,}. Restore the "
                "version before it."
            )
        return entry

    def check(self, part: Part) -> None:
        """Compare a part with its checksum; errors as ``open``."""
        with self.place.open(self.entry(part)) as file:
            if digest(file.read()) != part.digest:
                raise DataError(
                    f"{self.manifest.where(part.key)} is damaged: its checksum is not that of the manifest. Restore "
                    "the version before it."
                )

    def read(self, part: Part, columns: Sequence[str] | None = None, rows: int = 65_536) -> Iterator[Any]:
        """The rows of a part, some at a time, as tables of the data set's columns."""
        import pyarrow as pa

        names = list(columns or schema(part.dataset).names)
        with self.open(part) as file:
            for batch in file.iter_batches(batch_size=rows, columns=names):
                yield pa.Table.from_batches([batch]).select(names)

    def dataset(self, parts: Sequence[Part], dataset: str) -> Any:
        """Parts as one ``pyarrow.dataset.Dataset``: columns and row groups are read as they are needed."""
        import pyarrow.dataset as ds
        from pyarrow.fs import PyFileSystem

        from watchband.adapters.archive.reaching import handler

        known = {self.folder + part.key: Entry(self.folder + part.key, part.nbytes) for part in parts}
        return ds.FileSystemDataset.from_paths(
            list(known),
            schema=schema(dataset),
            format=ds.ParquetFileFormat(),
            filesystem=PyFileSystem(handler(self.place, known)),
        )

    def stream(self, parts: Sequence[Part], dataset: str, columns: Sequence[str], where: Any = None) -> Any:
        """Rows of parts as ``pyarrow.RecordBatchReader``, a file after the other, without reading ahead."""
        scanner = self.dataset(parts, dataset).scanner(
            columns=list(columns),
            filter=where,
            batch_size=32_768,
            batch_readahead=1,
            fragment_readahead=1,
            use_threads=False,
        )
        return scanner.to_reader()

    def expire(self, before: int) -> int:
        """Let go of days that ended before a time (ns UTC); how many parts. The newest day always stays."""
        edge, dropped = date_of(before), 0

        def older(root: Root) -> Change | None:
            nonlocal dropped
            old = [p for name in DATASETS for p in self.manifest.parts(name, ("", edge[:7]), root) if p.date < edge]
            dropped = len(old)
            return Change((), {p.key for p in old}, self.clock.now()) if old else None

        self.manifest.commit(older)
        return dropped

    def sweep(self, grace: int = GRACE) -> int:
        """Remove what counts no more, and what a run that was killed left behind; how many objects."""
        now = self.clock.now()
        root = self.manifest.root()
        known = {part.key for name in DATASETS for part in self.manifest.parts(name, root=root)}
        known |= {listed.key for listed in root.lists.values()}
        gone = [key for key, since in root.left.items() if now - since >= grace and key not in known]
        strays = []
        for name in (*DATASETS, FOLDER + "lists"):
            for entry in self.place.entries(f"{self.folder}{name}/"):
                key = entry.key[len(self.folder) :]
                if key not in known and key not in root.left and now - entry.modified >= grace:
                    strays.append(key)
        # A change since then may have named one of them.
        again = self.manifest.root()
        if again.revision != root.revision:
            return 0
        for key in (*gone, *strays):
            self.place.remove(self.folder + key)
        if gone:
            self.manifest.commit(
                lambda now: Change(more={"left": {k: v for k, v in now.left.items() if k not in set(gone)}})
            )
        return len(gone) + len(strays)


def encoded(text: str) -> str:
    """A text as the value of a partition: letters, digits and ``_.-`` as they are, others as Hive writes them.

    Examples
    --------
    >>> encoded("cpu.total"), encoded("AWS/EC2: x")
    ('cpu.total', 'AWS%2FEC2%3A%20x')
    """
    return quote(text, safe="").replace("~", "%7E")


def plain(shard: str) -> str:
    """A shard's name in that of a file."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", shard)


def day_start(date: str) -> int:
    """When a day begins, ns UTC."""
    return int(np.datetime64(date, "ns").astype(np.int64))
