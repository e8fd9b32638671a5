"""Some kernels of the compiled core, typed apart: there is no such module."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_F64: TypeAlias = NDArray[np.float64]
_I32: TypeAlias = NDArray[np.int32]
_I64: TypeAlias = NDArray[np.int64]
_U16: TypeAlias = NDArray[np.uint16]
_Points: TypeAlias = tuple[NDArray[np.int32], _I64, _I64, _F64]

def spectral_residual(
    ring: _F64,
    head: _I64,
    points: _Points,
    target: list[_F64],
    sizes: tuple[int, int, int, int],
    extension: str,
    centre: bool,
    threads: int,
) -> None: ...
def forecast_residual(
    floats: list[_F64],
    known: _U16,
    ints: list[_I64],
    points: _Points,
    target: list[_F64],
    model: str,
    alpha: float,
    season: int,
    refit: int,
    rates: tuple[float, float, float],
    width: float,
    threads: int,
) -> None: ...
def lstm_reconstruct(
    rows: _F64,
    found: _F64,
    encoder: tuple[_F64, _F64, _F64],
    decoder: tuple[_F64, _F64, _F64],
    output: tuple[_F64, _F64],
    steps: int,
) -> None: ...
def standing(
    ring: _F64, ordered: _F64, head: _I64, points: _Points, target: list[_F64], share: float, threads: int
) -> None: ...
def exps_of(values: _F64, found: _F64) -> None: ...
def shape_novelty(
    floats: list[_F64],
    head: _I64,
    points: _Points,
    target: list[_F64],
    memory: int,
    block: int,
    stride: int,
    warm_up: int,
    gain: float,
    threads: int,
) -> None: ...
def shape_novelty_widths() -> tuple[int, int]: ...
