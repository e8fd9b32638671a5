"""What a user writes of a source of kind ``kinesis``."""

from __future__ import annotations

import re
import socket
import uuid
from dataclasses import dataclass
from typing import ClassVar

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.kinesis.client import Client
from watchband.adapters.sources.kinesis.lease_table import DynamoLeases
from watchband.adapters.sources.kinesis.leases import Alone, Holding, Leases
from watchband.adapters.sources.kinesis.letters import DeadLetters
from watchband.adapters.sources.kinesis.records import Decoder
from watchband.adapters.sources.kinesis.rows import COLUMNS, RowReader
from watchband.adapters.sources.kinesis.source import KinesisSource
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import DAY, HOUR, MINUTE, SECOND
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, FilePath, ListOf, Size
from watchband.core.params import REQUIRED, Choice, Flag, Integer, Maybe, Text, param

_STREAM = re.compile(r"[A-Za-z0-9_.-]{1,128}|arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/[A-Za-z0-9_.-]{1,128}")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")


@dataclass(frozen=True, kw_only=True)
class Kinesis(AwsAccess):
    """Records of a Kinesis data stream: points in JSON, or raw rows of a table."""

    kind: ClassVar[str] = "kinesis"
    unordered: ClassVar[bool] = True
    """Records of one key may come out of order: ``lateness`` says for how long readings wait."""

    stream: str = param(REQUIRED, Text("the name or ARN of a stream"), "What is read.")
    backfill: int | None = param(
        None,
        Maybe(Duration(0, 365 * DAY)),
        "How much of what is in the stream is read first, as the past; none: all.",
    )
    leases: str | None = param(
        None,
        Maybe(Text("the name of a table of DynamoDB")),
        "Table by which several workers share the shards; none: this one reads all.",
    )
    create_leases: bool = param(False, Flag(), "Make that table where it is not there.")
    lease: int = param(30 * SECOND, Duration(SECOND, HOUR), "Silence after which another worker takes a shard over.")
    format: str = param(
        "auto", Choice(("auto", "json", "csv")), "What records are; auto: told from their first character."
    )
    columns: tuple[str, ...] = param(
        COLUMNS, ListOf(Text("a name"), 2), "Columns of a row of CSV, in order; by default those of a host."
    )
    time: str = param("Timestamp", Text("a column"), "The column of times.")
    labels: tuple[str, ...] = param((), ListOf(Text("a column")), "Columns that are labels.")
    key_label: str | None = param(
        "host", Maybe(Text("a label")), "Label of a row that holds its partition key; none: it is not kept."
    )
    timezone: str = param("UTC", Text("an IANA time zone"), "Of times that carry none.")
    day_first: bool = param(False, Flag(), "3/4/2026 is 3 April (true) or 4 March (false).")
    lateness: int = param(
        0, Duration(0, DAY), "How much readings may come out of order; each waits so long before it is judged."
    )
    delay: int = param(
        MINUTE, Duration(0, DAY), "How long after its time a record may come; silence counts from there."
    )
    dead_letters: str | None = param(
        None, Maybe(FilePath()), "File that keeps records that cannot be read, with the reason; none: only counted."
    )
    dead_letters_max: int = param(100 << 20, Size(1 << 16), "Size at which that file is put aside for a new one.")
    every: int = param(SECOND, Duration(SECOND // 5, HOUR), "How often a shard without news is asked.")
    limit: int = param(10_000, Integer(1, 10_000), "Records of one call; AWS gives 10 MB at most.")
    discover_every: int = param(MINUTE, Duration(SECOND, HOUR), "How often is looked for shards that are new.")
    concurrency: int = param(4, Integer(1, 32), "Shards that are asked at a time.")

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        if _STREAM.fullmatch(self.stream) is None:
            raise ConfigError(
                f"'stream' must be a name of letters, digits, '_', '-' and '.', or an ARN such as "
                f"arn:aws:kinesis:eu-west-1:111122223333:stream/NAME. Got {self.stream!r}."
            )
        if self.leases is not None and _TABLE.fullmatch(self.leases) is None:
            raise ConfigError(
                f"'leases' must be a table of 3 to 255 letters, digits, '_', '-', '.'. Got {self.leases!r}."
            )
        if self.time not in self.columns:
            raise ConfigError(f"'time' is {self.time!r}, which 'columns' does not name. Name the column of times.")
        if len(set(self.columns)) < len(self.columns):
            raise ConfigError("'columns' names a column twice. Give each a name of its own.")
        unknown = [label for label in self.labels if label not in self.columns or label == self.time]
        if unknown:
            raise ConfigError(f"'labels' names {unknown[0]!r}, which is no column of values. Take it from 'columns'.")
        _ = self.hints

    @property
    def hints(self) -> Hints:
        """What is said of times that leave something open."""
        return Hints(timezone=self.timezone, day_first=self.day_first)

    def open(self, name: str, *, clock: Clock) -> KinesisSource:
        """The source; nothing is asked before ``read``."""
        client = Client(self, self.stream, name, clock, self.concurrency)
        rows = RowReader(self.columns, self.time, self.labels, self.key_label, self.hints)
        letters = DeadLetters(self.dead_letters, self.dead_letters_max) if self.dead_letters else None
        return KinesisSource(
            name,
            self,
            client,
            Decoder(self.stream, self.format, rows),
            self.holding(name, client, clock),
            letters,
            clock,
        )

    def holding(self, name: str, client: Client, clock: Clock) -> Holding:
        """Who says which shards are this worker's; it is called anew each time: never its earlier self."""
        if self.leases is None:
            return Alone()
        group = f"{self.stream.rpartition('/')[2]}/{name}"
        table = DynamoLeases(lambda: client.session, self.leases, group, self.create_leases, clock)
        worker = f"{socket.gethostname()[:100]}/{uuid.uuid4().hex[:12]}"
        return Leases(table, worker, self.lease, clock)
