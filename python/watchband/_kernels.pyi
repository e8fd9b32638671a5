"""The compiled core: functions over arrays, one per kernel; checked against the binary by stubtest."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self, TypeAlias, final, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

from watchband._kernels_field import exps_of as exps_of
from watchband._kernels_field import forecast_residual as forecast_residual
from watchband._kernels_field import lstm_reconstruct as lstm_reconstruct
from watchband._kernels_field import shape_novelty as shape_novelty
from watchband._kernels_field import shape_novelty_widths as shape_novelty_widths
from watchband._kernels_field import spectral_residual as spectral_residual
from watchband._kernels_field import standing as standing

_F64: TypeAlias = NDArray[np.float64]
_F32: TypeAlias = NDArray[np.float32]
_I64: TypeAlias = NDArray[np.int64]
_I32: TypeAlias = NDArray[np.int32]
_U16: TypeAlias = NDArray[np.uint16]
_Points: TypeAlias = tuple[NDArray[np.int32], _I64, _I64, _F64]
"""rows, offsets, times, values of a ``Points``."""
_Trees: TypeAlias = tuple[_I32, _F64, _I32, _I32, _I64, bool]
_Svm: TypeAlias = tuple[_F64, _F64, float]
_Factor: TypeAlias = tuple[_F64, _F64, _F64, int, float]
_ForestArrays: TypeAlias = tuple[list[_I64], list[_F32], list[_U16], list[_F64]]

def calibrate(
    bins: _F32,
    fits: _F64,
    life: _F64,
    points: _Points,
    columns: list[_F64],
    outputs: list[_F64],
    p_limit: _F64,
    rule: tuple[str, float, int, bool],
    direction: str,
    half_life: float,
    weights: list[float],
    strengths: list[float],
    sparse: list[bool],
    threads: int,
) -> None: ...
def calibrate_widths() -> tuple[int, int, int, int, int]: ...
def calibrate_light(
    cells: _F32,
    life: _F64,
    points: _Points,
    columns: list[_F64],
    outputs: list[_F64],
    p_limit: _F64,
    direction: str,
    half_life: float,
    threads: int,
) -> None: ...
def calibrate_light_widths() -> tuple[int, int]: ...
def decide(
    state: tuple[_F64, _I64, _F64, _F64, _I64],
    points: _Points,
    columns: list[_F64],
    outputs: list[_F64],
    direction: int,
    min_deviation: tuple[float, float],
    min_count: float,
    range_: tuple[float, float],
    missing: str,
    limit: float,
    close_level: float,
    close_after: int,
    max_points: int,
    cool_down: int,
    consecutive: int,
    m_of_n: tuple[int, int],
    threads: int,
) -> tuple[_I64, _F64]:
    """Records of alerts, flat: ints [m, 8] begin with the slice, floats [m, 9]; see ``pipeline/decide.py``."""

def ewma(
    first: _F64,
    level: _F64,
    count: _I64,
    points: _Points,
    target: list[_F64],
    half_life: float,
    clip: float | None,
    scale_min: float,
    width: float,
    threads: int,
) -> None: ...
def gap_novelty(
    values: _F64,
    isolation: _F64,
    seen: _I64,
    run: _F64,
    head: _I64,
    ring: _F64 | None,
    points: _Points,
    target: list[_F64],
    memory: int,
    warm_up: int,
    gain: float,
    of: str,
    threads: int,
) -> None: ...
def gap_novelty_width() -> int: ...
def half_space_trees(
    masses: _U16,
    floats: list[_F64],
    head: _I64,
    plan: tuple[_U16, _F64],
    points: _Points,
    outputs: list[_F64],
    trees: int,
    height: int,
    dims: int,
    window: int,
    first: int,
    limit: int,
    threads: int,
) -> None: ...
def half_space_trees_plan(trees: int, height: int, dims: int, seed: int) -> tuple[_U16, _F64]: ...
def level_shift(
    run: _F64,
    held: _I64,
    points: _Points,
    target: list[_F64],
    gains: tuple[float, float, float, float],
    warm_up: int,
    warm: int,
    adopt: int,
    of: str,
    threads: int,
) -> None: ...
def level_shift_width() -> int: ...
def isolation_forest_fit(rows: _F64, trees: int, samples: int, seed: int) -> tuple[_I32, _F64, _I32, _I32, _I64]: ...
def isolation_forest(trees: _Trees, rows: _F64, whole: float, scores: _F64 | None, shares: _F64 | None) -> None: ...
def isolation_forest_path(n: int) -> float: ...
def local_outlier_factor(model: _Factor, rows: _F64, scores: _F64 | None, shares: _F64 | None) -> None: ...
def one_class_svm(model: _Svm, rows: _F64, scores: _F64 | None, shares: _F64 | None) -> None: ...
def principal(model: _Svm, rows: _F64, scores: _F64 | None, shares: _F64 | None) -> None: ...
def local_outlier_factor_fit(values: _F64, neighbours: int, floor: float) -> tuple[_F64, _F64]: ...
def principal_fit(rows: _F64) -> tuple[_F64, _F64, _F64]: ...
def left_discord(
    floats: list[_F64],
    head: _I64,
    points: _Points,
    target: list[_F64],
    length: int,
    window: int,
    exclusion: int,
    warm_up: int,
    threads: int,
) -> None: ...
def light_band(
    core: _F64,
    clock: _I64,
    tables: _F32,
    points: _Points,
    target: list[_F64],
    zone: tuple[_I64, _I64],
    hold: tuple[float, float],
    width: float,
    threads: int,
) -> None: ...
def light_band_widths() -> tuple[int, int, int]: ...
def prepare(
    state: tuple[_I64, _I64, _F64, _I64, _I64, _I64],
    raw: tuple[NDArray[np.int32], _I64, _I64, _F64],
    row_ordinal: _I64,
    interval_ns: int,
    resample_ns: int,
    aggregate_word: str,
    gap_word: str,
    gap_value: float,
    gap_limit: int,
    counters: NDArray[np.bool_],
    flush: bool,
    threads: int,
) -> tuple[_I64, _F64, NDArray[np.bool_], _I64, _I64, _I64]: ...
def random_cut_ask(
    state: _ForestArrays,
    points: _Points,
    outputs: list[_F64],
    sizes: list[int],
    intake: tuple[int, bool, int, float, bool],
    seed: int,
    decay: float,
    question: tuple[str, float],
    threads: int,
) -> None: ...
def random_cut_cast(
    state: _ForestArrays,
    points: _Points,
    target: list[_F64],
    sizes: list[int],
    intake: tuple[int, bool, int, float, bool],
    seed: int,
    decay: float,
    learning: tuple[int, bool, bool],
    casting: tuple[int, int, float],
    threads: int,
) -> None: ...
def random_cut_forest(
    state: _ForestArrays,
    points: _Points,
    target: list[_F64],
    sizes: list[int],
    intake: tuple[int, bool, int, float, bool],
    seed: int,
    decay: float,
    warm_up: int,
    frozen: bool,
    displaces: bool,
    expects: bool,
    attributes: float | None,
    threads: int,
) -> None: ...
def random_cut_forest_moments(inputs: int, number: int, timed: bool) -> int: ...
def random_cut_forest_widths(sizes: list[int]) -> list[int]: ...
def random_cut_grade(
    state: _ForestArrays,
    points: _Points,
    target: list[_F64],
    sizes: list[int],
    intake: tuple[int, bool, int, float, bool],
    seed: int,
    decay: float,
    learning: tuple[int, bool],
    limits: tuple[float, float, float],
    margins: list[tuple[float, float]],
    threads: int,
) -> None: ...
def random_cut_grade_width() -> int: ...
def rolling_median(
    ring: _F64,
    cells: _F64,
    heads: _I64,
    head: _I64,
    points: _Points,
    target: list[_F64],
    window: int,
    inclusive: bool,
    width: float,
    threads: int,
) -> None: ...
def rolling_median_blocks(window: int) -> int: ...
def rolling_zscore(
    values: _F64,
    squares: _F64,
    sums: _F64,
    head: _I64,
    points: _Points,
    target: list[_F64],
    window: int,
    ddof: int,
    inclusive: bool,
    width: float,
    threads: int,
) -> None: ...
def seasonal_band(
    core: _F64,
    clock: _I64,
    tables: _F32,
    tail: _F32,
    echo: _F32,
    points: _Points,
    target: list[_F64],
    zone: tuple[_I64, _I64],
    holidays: _I64,
    coverage: float,
    logical_range: tuple[float, float],
    hold: tuple[float, float],
    threads: int,
) -> None: ...
def seasonal_band_widths() -> tuple[int, int, int, int, int]: ...
def threshold(
    points: _Points,
    target: list[_F64],
    low: float | None,
    high: float | None,
    threads: int,
) -> None: ...
def residual(
    floats: list[_F64],
    clock: _I64,
    points: _Points,
    target: list[_F64],
    forget: float,
    huber: float,
    width: float,
    threads: int,
) -> None: ...
def residual_widths() -> list[int]: ...

@disjoint_base
class Score:
    """The scores of one point: fields by name, in order, or by number; see ``Scores`` for what each means."""

    _fields: ClassVar[tuple[str, ...]]
    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, score: float, expected: float, lower: float, upper: float, scale: float, flags: float) -> Self: ...
    @property
    def score(self) -> float: ...
    @property
    def expected(self) -> float: ...
    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def scale(self) -> float: ...
    @property
    def flags(self) -> float: ...
    def _asdict(self) -> dict[str, float]: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: int, /) -> float: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[float, ...]: ...
    def __iter__(self) -> Iterator[float]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Score], tuple[float, ...]]: ...

@final
class EnsembleScore(Score):
    """The scores of one point, with those of an ensemble's further ``members``."""

    def __new__(
        cls,
        score: float,
        expected: float,
        lower: float,
        upper: float,
        scale: float,
        flags: float,
        members: Sequence[float],
    ) -> Self: ...
    @property
    def members(self) -> tuple[float, ...]: ...
    def __reduce__(self) -> tuple[type[Score], tuple[Any, ...]]: ...

@final
class Steppers:
    """Keeps the kernels and states of an ensemble's members between calls for one point."""

    def __new__(cls, members: list[tuple[Stepper, bool, bool]]) -> Steppers: ...
    def ready(self) -> bool: ...
    def one(self, time: int, value: float) -> EnsembleScore | None: ...
    def settle(self) -> tuple[int, int]: ...

@final
class Stepper:
    """Keeps a detector's kernel and the state of one series between calls for one point."""

    def __new__(cls, last_time: int) -> Stepper: ...
    def ready(self) -> bool: ...
    def one(self, time: int, value: float) -> Score | None: ...
    def settle(self) -> tuple[int, int]: ...

_PulseFound: TypeAlias = tuple[NDArray[np.int32], _I64, _I64, _I64, _I64, _F64]
_Settings: TypeAlias = tuple[float, float, float, float, float]

def drift(
    state: tuple[_I64, _F64, _F64, _F32],
    points: _Points,
    columns: list[_F64],
    whole: tuple[int, int, int, int],
    real: _Settings,
    threads: int,
) -> tuple[_I64, _F64]: ...
def drift_widths() -> tuple[int, int, int, int, int, int, int, int]: ...
def features(
    state: tuple[_I64, _F64, _F64],
    points: _Points,
    program: _I64,
    ranges: _F64,
    zone: tuple[_I64, _I64, _I64],
    settings: tuple[int, float],
    out: _F64,
    threads: int,
) -> None: ...
def features_widths() -> tuple[int, int]: ...
def pulse_readings(moments: _I64, rhythm: _F64, points: _Points, seen: _I64, settings: _Settings) -> _PulseFound: ...
def pulse_watermark(moments: _I64, rhythm: _F64, source: int, now: int, settings: _Settings) -> _PulseFound: ...
def remote_write(
    body: bytes, second: bool, limits: tuple[int, int, int, int, int]
) -> tuple[list[bytes], _I64, _I64, _F64, _I64, NDArray[np.uint8], _I64]: ...
