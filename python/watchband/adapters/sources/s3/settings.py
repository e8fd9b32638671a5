"""What a user writes of a source of kind ``s3``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.objects.address import OBJECT_BYTES, Address
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.s3.source import S3Source
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import DAY, HOUR, MINUTE, SECOND, WEEK
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, ListOf, Size, Url
from watchband.core.params import REQUIRED, Choice, Flag, Maybe, Text, param

_FORMATS = ("csv", "jsonl", "json", "prometheus", "parquet")


@dataclass(frozen=True, kw_only=True)
class S3(AwsAccess):
    """Objects as they come into a bucket of Amazon S3, or files into a folder."""

    kind: ClassVar[str] = "s3"

    objects: str = param(
        REQUIRED,
        Text("an address: s3://BUCKET/metrics/{date}/*.csv.gz, or file:///FOLDER/…"),
        "Which objects are read.",
    )
    queue_url: str | None = param(None, Maybe(Url()), "Queue of SQS that says what is new; none: the bucket is listed.")
    every: int = param(MINUTE, Duration(SECOND, DAY), "How often it is listed.")
    backfill: int = param(2 * WEEK, Duration(0, 520 * WEEK), "How much of the past is read at the first start.")
    look_back: int = param(
        2 * DAY, Duration(0, 52 * WEEK), "How old the date in a name may be of an object that is new; with dates only."
    )
    settle: int = param(
        HOUR, Duration(MINUTE, 4 * WEEK), "How long after its own time an object may come to be listed: long uploads."
    )
    visibility: int = param(
        10 * MINUTE,
        Duration(30 * SECOND, 12 * HOUR),
        "How long a message is hidden while its object is read; extended.",
    )
    dead_letters: str | None = param(
        None,
        Maybe(Text("an address of a folder: s3://BUCKET/dead/")),
        "Where notes are put on objects that cannot be read.",
    )
    max_object_size: int = param(OBJECT_BYTES, Size(), "A larger object is not read, and noted.")
    format: str | None = param(None, Maybe(Choice(_FORMATS)), "Else told from the content.")
    time: str | None = param(None, Maybe(Text("a column")), "The column of times; else found.")
    values: tuple[str, ...] = param((), ListOf(Text("a column")), "The columns of values; else all numbers.")
    labels: tuple[str, ...] = param((), ListOf(Text("a column")), "The columns that are labels; else found.")
    metric: str | None = param(None, Maybe(Text("a name")), "Name of the metric, where there is one column of values.")
    timezone: str = param("UTC", Text("an IANA time zone"), "Of times that carry none.")
    day_first: bool | None = param(None, Maybe(Flag()), "3/4/2026 is 3 April (true) or 4 March (false); else found.")
    file_label: str | None = param(
        None,
        Maybe(Text("a label")),
        "Label with what stands for `*` in a name; `file` if none, and none if it is empty.",
    )
    delay: int = param(
        15 * MINUTE, Duration(0), "How long after its time a reading's object may come; silence counts from there."
    )
    lateness: int = param(
        0, Duration(0), "How much readings may come out of order; each waits so long before it is judged."
    )

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        _ = self.hints
        address = self.address
        if address.template.plain and not self.objects.endswith("/"):
            raise ConfigError(
                f"'objects' is one object, {self.objects!r}. Write a folder/ or a template with * or {{date}}."
            )
        if self.queue_url is not None and address.scheme != "s3":
            raise ConfigError("'queue_url' goes with objects of s3://. A folder is listed.")
        if self.dead_letters is not None and not Address.parse(self.dead_letters).template.plain:
            raise ConfigError(f"'dead_letters' is a folder, without dates and wildcards. Got {self.dead_letters!r}.")

    @property
    def address(self) -> Address:
        """Where the objects lie, and which."""
        if "?" in self.objects:
            raise ConfigError(
                "'objects' has no options behind a question mark: they stand beside it, as 'region' does."
            )
        return Address.parse(self.objects)

    @property
    def hints(self) -> Hints:
        """What the readers of files are told."""
        return Hints(
            format=self.format,
            time=self.time,
            values=self.values,
            labels=self.labels,
            metric=self.metric,
            timezone=self.timezone,
            day_first=self.day_first,
        )

    def open(self, name: str, *, clock: Clock) -> S3Source:
        """The source; nothing outside is touched before ``read``."""
        return S3Source(name, self, clock)
