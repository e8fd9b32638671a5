"""The loops of `plain.c`, compiled on the spot, for benches to compare with."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Values = np.ndarray[Any, np.dtype[np.float64]]


@cache
def _library() -> ctypes.CDLL | None:
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "plain.so"
        source = Path(__file__).with_name("plain.c")
        command = [compiler, "-O3", "-shared", "-fPIC", "-o", str(library), str(source), "-lm"]
        subprocess.run(command, check=True)
        return ctypes.CDLL(str(library))


def compiled(name: str, values: Values, *parameters: float) -> Callable[[], object] | None:
    """One run of a loop over all values, each time with fresh outputs; None where there is no C compiler."""
    library = _library()
    if library is None:
        return None
    numbers = [ctypes.c_long(p) if isinstance(p, int) else ctypes.c_double(p) for p in parameters]

    def pointer(array: Values) -> ctypes.c_void_p:
        return array.ctypes.data_as(ctypes.c_void_p)

    def work() -> None:
        outputs = [np.empty(len(values)) for _ in range(3)]
        library[name](pointer(values), ctypes.c_long(len(values)), *numbers, *map(pointer, outputs))

    return work
