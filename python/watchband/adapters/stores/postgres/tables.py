"""What all parts of the shared store have: its database, the lead, its clock, and the numbers of series."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watchband.adapters.stores.postgres.database import Address, Database
from watchband.adapters.stores.postgres.lease import Lease
from watchband.adapters.stores.postgres.schema import prepare
from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import StateCorruptError
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.adapters.stores.postgres.database import Sql

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Tables:
    """The database of an installation, who leads, and which number stands for which series.

    Parameters
    ----------
    url, password, schema, lease_s, timeout_s, clock
        As ``PostgresStore`` has them.
    """

    def __init__(
        self,
        url: str,
        *,
        password: Secret | None = None,
        schema: str = "watchband",
        lease_s: float = 15.0,
        timeout_s: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        self.address = Address(url, password, schema, timeout_s, silence_s=lease_s)
        self.clock: Clock = clock or SystemClock()
        self._database = Database(self.address)
        self._lease = Lease(self._database, self.address, lease_s)
        self._numbers: dict[SeriesKey, int] = {}
        self._keys: dict[int, SeriesKey] = {}
        try:
            with self._database.transaction() as sql:
                prepare(sql, schema)
        except BaseException:
            self.close()
            raise

    @property
    def holder(self) -> str:
        """What this process is called where it leads: host and process number."""
        return self._lease.holder

    def lead(self, timeout: float = 0.0) -> bool:
        """Whether this process is the one that writes; it waits so many seconds to become so."""
        return self._lease.take(timeout)

    def close(self) -> None:
        """Give the lead back and let go of the connections."""
        self._lease.close()
        self._database.close()

    def reading(self) -> contextlib.AbstractContextManager[Sql]:
        """A look at what is committed."""
        return self._database.transaction()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Sql]:
        """All of what is done inside, or nothing; FencedError where another process leads."""
        self._lease.first()
        with self._database.transaction() as sql:
            self._lease.hold(sql)
            yield sql

    def numbers(self, sql: Sql, keys: Iterable[SeriesKey], new: dict[SeriesKey, int]) -> None:
        """Put the numbers of series that this process has not met in ``new``; those that have none get one."""
        texts = {key: text_of(key) for key in keys if key not in self._numbers and key not in new}
        if not texts:
            return
        digests = {key: digest_of(key) for key in texts}
        known = _numbered(sql, "SELECT digest, id FROM series WHERE digest = ANY(%s)", [list(digests.values())])
        left = [key for key, digest in digests.items() if digest not in known]
        if left:
            known |= _numbered(
                sql,
                "INSERT INTO series (digest, key) SELECT * FROM unnest(%s::bytea[], %s::text[]) RETURNING digest, id",
                [[digests[key] for key in left], [texts[key] for key in left]],
            )
        new.update((key, known[digest]) for key, digest in digests.items())

    def number(self, key: SeriesKey, new: Mapping[SeriesKey, int]) -> int:
        """The number of a series that was asked for before."""
        return self._numbers.get(key) or new[key]

    def know(self, new: Mapping[SeriesKey, int]) -> None:
        """Remember numbers. Only after the commit: one that was rolled back may be given to another series."""
        self._numbers.update(new)
        self._keys.update((number, key) for key, number in new.items())

    def keys(self, sql: Sql, numbers: Sequence[int]) -> list[SeriesKey]:
        """The series of some numbers.

        Raises
        ------
        StateCorruptError
            The database does not know one of them.
        """
        missing = {number for number in numbers if number not in self._keys}
        if missing:
            found = sql.execute("SELECT id, key FROM series WHERE id = ANY(%s)", (list(missing),)).fetchall()
            self.know({key_of(text): number for number, text in found})
            missing.difference_update(number for number, _ in found)
            if missing:
                raise StateCorruptError(f"The log names series {min(missing)}, which the database does not know.")
        return [self._keys[number] for number in numbers]


def _numbered(sql: Sql, query: str, values: Sequence[Any]) -> dict[bytes, int]:
    return {bytes(digest): int(number) for digest, number in sql.execute(query, values).fetchall()}


def digest_of(key: SeriesKey) -> bytes:
    """What a series is found by."""
    return hashlib.blake2b(text_of(key).encode(), digest_size=16).digest()


def text_of(key: SeriesKey) -> str:
    """A series as PostgreSQL's texts can hold it, which have no NUL: in a key a backslash never stands before a 0."""
    return str(key).replace("\0", "\\0")


def key_of(text: str) -> SeriesKey:
    """The inverse of ``text_of``."""
    return SeriesKey.parse(_ESCAPED.sub(lambda m: "\0" if m[1] == "0" else m[0], text) if "\\0" in text else text)
