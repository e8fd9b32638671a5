"""What is not ours: scikit-learn and scipy, imported when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from watchband.core.errors import MissingExtraError


def scikit(module: str) -> Any:
    """A module of scikit-learn or scipy.

    Raises
    ------
    MissingExtraError
        It is not installed; says how.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = "scipy" if module.startswith("scipy") else "scikit-learn"
        raise MissingExtraError("To fit a risk model", package, "analysis") from error


@contextmanager
def one_thread() -> Iterator[None]:
    """Their sums in one thread: the same bits with any number of cores, and no spinning on a machine that is busy."""
    scikit("sklearn.cluster")  # Only what is loaded is limited.
    with scikit("threadpoolctl").threadpool_limits(1):
        yield
