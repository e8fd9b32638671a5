"""A progress bar on stderr, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from watchband.apps.library.feeds import Progress


@contextmanager
def progress_bar(*, quiet: bool, counts: bool = False) -> Iterator[Progress | None]:
    """Gives a function to be told of progress, in bytes or in counts of things; None where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bar = BarColumn(complete_style="color(67)", finished_style="color(67)", pulse_style="color(67)")
    done_of_all = MofNCompleteColumn() if counts else DownloadColumn(binary_units=True)
    columns = (TextColumn("{task.description:<16}"), bar, done_of_all, TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("looking through", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total)

        yield tell


@contextmanager
def count_bar(what: str, *, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """The same for things that are counted, such as trials."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bar = BarColumn(complete_style="color(67)", finished_style="color(67)", pulse_style="color(67)")
    columns = (TextColumn("{task.description:<16}"), bar, MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None)

        def tell(now: str, done: int, total: int) -> None:
            bars.update(task, description=now, completed=done, total=total)

        yield tell
