"""Metrics from files: CSV and its kin, JSON Lines, Prometheus JSON, Parquet; also directories, globs, standard input.

``open_table`` looks through the files once and says what it found; ``Table.batches`` then gives the values in
input order, in bounded memory::

    with open_table(["metrics/", "more/*.csv"], Hints(timezone="Europe/Dublin")) as table:
        for line in table.profile.describe():
            show(line)
        for batch in table.batches():
            ...

One idea per module: ``hints`` (what the user says, limits), ``locate`` (which files, which format), a reader per
format that gives columns (``delimited``, ``json_lines``, ``json_documents``, ``parquet``; ``blocks`` below the textual
ones), ``timestamps`` and ``columns`` (cells to times and numbers), ``roles`` (what each column is), ``scan`` (first
reading: series and order), ``keys`` (names of series), ``reading`` (second reading: values), ``profile`` (in words).

Guarantees: every value once, in input order (or sorted by time, with the way back); nothing is guessed silently.
"""

from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.profile import FileProfile, Profile
from watchband.adapters.sources.files.roles import Roles
from watchband.adapters.sources.files.table import FileBatch, Problem, Table, open_table

__all__ = ["FileBatch", "FileProfile", "Hints", "Problem", "Profile", "Roles", "Table", "open_table"]
