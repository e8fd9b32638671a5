"""``wb.train``: a champion for the user's own series, with the evidence for it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.apps.library.feeds import Feed, open_source
from watchband.apps.library.options import Options
from watchband.apps.library.tune import Request as TuneRequest
from watchband.apps.library.tune import Setting, labelled
from watchband.apps.library.tuning.readings import Bucketed, label_list, read_series
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError
from watchband.pipeline import DEFAULT_DETECTOR

if TYPE_CHECKING:
    from watchband.analysis.training.cut import Cut
    from watchband.analysis.training.outcome import Trained
    from watchband.analysis.tuning.material import Series
    from watchband.analysis.tuning.stratified import Leaked
    from watchband.apps.library.training.training import Training

CANDIDATES = (
    "auto",
    "seasonal_band",
    "residual",
    "ewma",
    "rolling_zscore",
    "isolation_forest",
    "one_class_svm",
    "local_outlier_factor",
    "pca_reconstruction",
    "spectral_residual",
    "forecast_residual",
)
"""Names that are tried where none are given, as far as this installation has them."""
FEATURES = ("value4", "last24", "metric")
JOINED_FEATURES = ("none", "last24", "ratios294")
"""The same where several metrics are judged together, as far as they can be made of so many."""
EVENTS_WANTED, COPIES_MAX, COPIED_POINTS_MAX = 16, 8, 200_000
"""Faults that are put in where it is chosen, all copies together; copies at most, and readings of all of them."""
COPY = "faults"
POINTS_MAX = 1_000_000
"""Readings of all series together; what a model reads of one series is held at once: 8 bytes a feature and reading."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a training, beside what ``detect`` is asked; see ``train``."""

    labels: Any = None
    inject: str | Sequence[str] | bool = False
    candidates: Sequence[str] | str | None = None
    features: Sequence[str] | str | None = None
    objective: str = "f1"
    trials: int = 40
    seed: int = 0
    storage: str | Path | None = None
    time_limit: str | None = None
    jobs: int = 0
    rows: int | None = None
    validation_share: float = 0.25
    test_share: float = 0.25
    split_gap: str | None = None
    split: str = "time"

    def __post_init__(self) -> None:
        _ = self.tuning
        if self.rows is not None and self.rows < 100:
            raise ConfigError(f"--rows must be 100 or more: a model of fewer says little. Got {self.rows}.")

    @property
    def tuning(self) -> TuneRequest:
        """The same in the words of ``tune``; without labels faults are put in."""
        return TuneRequest(
            labels=self.labels, objective=self.objective, inject=self.inject or self.labels is None,
            trials=self.trials, seed=self.seed, storage=self.storage, time_limit=self.time_limit, jobs=self.jobs,
            test_share=self.test_share, split_gap=self.split_gap, split=self.split, among=(),
        )  # fmt: skip

    def check_out(self, out: Path) -> None:
        """Raise ConfigError where nothing can be written to ``out`` at the end: before hours are spent on it."""
        from watchband.apps.library.outputs.folder import check_target

        if self.split == "stratified":
            raise ConfigError("--split stratified trains nothing, so there is nothing to write to --out. Leave it out.")
        check_target(out)

    @property
    def names(self) -> tuple[str, ...]:
        """Candidates."""
        if self.candidates is None:
            from watchband.pipeline.catalogue import CATALOGUE

            known = set(CATALOGUE.names())
            return tuple(name for name in CANDIDATES if name in known)
        return tuple(dict.fromkeys(text.partition(":")[0].strip() for text in _texts(self.candidates)))

    @property
    def given(self) -> dict[str, dict[str, Any]]:
        """Parameters that stand with a candidate, ``NAME:KEY=VALUE``, by its name."""
        from watchband.core import params
        from watchband.pipeline.catalogue import CATALOGUE

        texts = [text.partition(":") for text in _texts(self.candidates or ()) if ":" in text]
        return {name.strip(): params.read_text(CATALOGUE.get(name.strip()), rest) for name, _, rest in texts}

    @property
    def feature_sets(self) -> tuple[str, ...]:
        """Feature sets."""
        return FEATURES if self.features is None else _names(self.features)


def _texts(given: Sequence[str] | str) -> list[str]:
    """Candidates as they are written: what follows a comma and has an = belongs to the one before."""
    found: list[str] = []
    for part in given.split(",") if isinstance(given, str) else given:
        if found and "=" in part and ":" not in part.partition("=")[0]:
            found[-1] += f",{part}"
        elif part.strip():
            found.append(part.strip())
    return found


def _names(given: Sequence[str] | str) -> tuple[str, ...]:
    names = given.split(",") if isinstance(given, str) else given
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def train(
    source: Any,
    labels: str | os.PathLike[str] | Iterable[Any] | None = None,
    *,
    inject: str | Sequence[str] | bool = False,
    candidates: Sequence[str] | str | None = None,
    features: Sequence[str] | str | None = None,
    objective: str = "f1",
    trials: int = 40,
    seed: int = 0,
    storage: str | Path | None = None,
    time_limit: str | None = None,
    jobs: int = 0,
    rows: int | None = None,
    validation_share: float = 0.25,
    test_share: float = 0.25,
    split_gap: str | None = None,
    split: str = "time",
    out: str | Path | None = None,
    budget: str | None = None,
    time: str | None = None,
    value: str | Sequence[str] = (),
    label: str | Sequence[str] = (),
    metric: str | None = None,
    **options: Any,
) -> Training:
    """Fit candidates on the past, choose one on a later part, and report on the last part once; see ``docs/train.md``.

    Parameters
    ----------
    source : frame, series, (times, values), path or list of paths
        As for ``detect``.
    labels : path or iterable, optional
        A label file, ``Label`` objects or (series, start, end). Without labels faults are put into the validation and
        test parts, and these are the labels.
    inject : bool or kinds of faults, default False
        Which faults, where there are no labels.
    candidates, features : names, optional
        Detectors, and what the models among them read.
    objective, trials, seed, storage, time_limit, jobs
        As for ``tune``.
    rows : int, optional
        Most rows that a model is fitted on; 100,000 if None.
    validation_share, test_share, split_gap
        Shares of the time; between two parts lies a gap that counts nowhere.
    split : {"time", "stratified"}
        ``stratified`` divides rows at random to show what that makes of the figures; it trains nothing.
    out : path, optional
        Folder for the champion and its evidence.
    budget and every other option of ``detect`` but ``detector``
        The rule and policy that all candidates share.

    Raises
    ------
    MissingExtraError, ConfigError, DataError
        No Optuna; an option that cannot be, no event to choose by; data that nothing can be learned from.
    """
    given = dict(locals())
    request = Request(**{f.name: given[f.name] for f in dataclasses.fields(Request)})
    if "detector" in options:
        raise ConfigError("A training has 'candidates', and no 'detector'. Name them, or leave it out.")
    if out is not None:
        request.check_out(Path(out))
    chosen = Options(detector=_reference(request), budget=budget, **options)
    columns = {"time": time, "value": _listed(value), "label": _listed(label), "metric": metric}
    found = run(open_source(source, chosen, columns), chosen, request, columns=columns)
    if out is not None:
        found.write(out)
    return found


def _reference(request: Request) -> str:
    names = request.names
    if not names:
        raise ConfigError("--candidates names none. Give one or more detectors; see 'watchband detectors'.")
    return names[0]


def run(
    feed: Feed,
    options: Options,
    request: Request,
    *,
    columns: dict[str, Any] | None = None,
    tell: Callable[[str, int, int], None] | None = None,
    clock: Clock | None = None,
    command: str = "",
) -> Training:
    """Train on the readings of a feed; what ``train`` and the command line share."""
    from watchband.analysis.training.cut import cuts_in_time
    from watchband.analysis.training.fitting import ROWS_MAX, Fitter, check_kinds, check_learnable
    from watchband.analysis.tuning.search import need_optuna
    from watchband.apps.library.training.training import Training

    need_optuna()
    now = clock or SystemClock()
    names, left = _candidates(options, request)
    options = dataclasses.replace(options, detector=names[0])
    # A join gathers its buckets itself, and rates are made of readings before any bucket is.
    gathers = options.resample is not None and not options.join and not options.counter
    given = Bucketed(feed, options.prepare()) if gathers else feed
    series, notes = read_series(given, options.joined(options.build_detector()), most=POINTS_MAX)
    gap = None if request.split_gap is None else parse_duration(request.split_gap)
    cuts = cuts_in_time(series, validation_share=request.validation_share, test_share=request.test_share, gap_ns=gap)
    good, more = check_learnable(series, cuts)
    series, cuts = [series[i] for i in good], [cuts[i] for i in good]
    parts = [cut.parts for cut in cuts]
    known = label_list(request.labels) if request.labels is not None else []
    original = series
    fitted_on = cuts
    series, told = labelled(series, parts, known, request.tuning, options.join or ())
    if request.labels is None:
        series, cuts, more_told = _copies(original, series, cuts, request)
        parts, told = [cut.parts for cut in cuts], [*told, *more_told]
    names, others = check_kinds(names, series)
    setting = Setting(dataclasses.replace(options, detector=names[0]), request.tuning)
    beside = {"stop": request.tuning.stop(now), "tell": (lambda a, b: tell("training", a, b)) if tell else None}
    workspace = Path(tempfile.mkdtemp(prefix="watchband-train-"))
    result: Trained | Leaked
    try:
        if request.split == "stratified":
            result = _leaking(series, parts, setting, names, request, beside)
        else:
            # With faults put in, what is fitted on is as it came: once, however many copies there are.
            plain = (original, fitted_on) if request.labels is None else (series, cuts)
            fitter = Fitter(*plain, setting.replay(), workspace, request.rows or ROWS_MAX, series, cuts)
            result = _searched(series, cuts, fitter, setting, names, request, beside)
    except BaseException:
        shutil.rmtree(workspace, ignore_errors=True)
        raise
    return Training(
        result,
        series=series,
        original=original,
        options=options,
        setting=setting,
        workspace=workspace,
        title=feed.title,
        notes=[*feed.notes, *notes, *more, *told, *left, *others, *result.notes],
        columns=columns or {},
        command=command,
        created=now.now(),
    )


def _copies(
    original: list[Series], first: list[Series], cuts: list[Cut], request: Request
) -> tuple[list[Series], list[Cut], list[str]]:
    """So many copies of the series, each with other faults, that there are events enough to choose by.

    More faults in one copy would become usual: no budget lets them alert.
    """
    from watchband.analysis.tuning.injection import KINDS
    from watchband.analysis.tuning.material import labels_in
    from watchband.core.series import SeriesKey

    kinds = list(KINDS if request.inject in (False, True) else _names(request.inject))  # type: ignore[arg-type]
    events = sum(len(labels_in(one.labels, cut.parts.validation)) for one, cut in zip(first, cuts, strict=True))
    points = sum(len(one.times) for one in original)
    count = min(-(-EVENTS_WANTED // max(events, 1)), COPIES_MAX, max(1, COPIED_POINTS_MAX // points))
    series, parts = list(first), [cut.parts for cut in cuts]
    for number in range(2, count + 1):
        # Where a part has room for one fault only, each copy has another kind.
        turned = [*kinds[number - 1 :], *kinds[: number - 1]]
        again = dataclasses.replace(request.tuning, seed=request.seed + 1_000_003 * (number - 1), inject=turned)
        made, _ = labelled(list(original), parts, [], again)
        for one in made:
            key = SeriesKey(one.key.metric, {**one.key.labels, COPY: str(number)})
            series.append(dataclasses.replace(one, key=key))
    if count == 1:
        return series, cuts, []
    note = (
        f"{count} copies of the series with other faults each, told apart by the label {COPY!r}; they share their "
        "noise, so that intervals are a little too narrow"
    )
    return series, cuts * count, [note]


def _candidates(options: Options, request: Request) -> tuple[Sequence[str], list[str]]:
    """Names of candidates, and notes on those that cannot judge what is joined."""
    from watchband.analysis.training.fitting import check_columns

    _ = _reference(request)
    if not options.join:
        return request.names, []
    if request.split == "stratified":
        raise ConfigError("--split stratified divides rows of one metric: leave out --join, or divide in time.")
    return check_columns(request.names, len(options.join))


def _searched(
    series: Sequence[Series],
    cuts: Any,
    fitter: Any,
    setting: Setting,
    names: Sequence[str],
    request: Request,
    beside: dict[str, Any],
) -> Trained:
    from watchband.analysis.training.train import train as search
    from watchband.analysis.tuning.objective import objective

    aim = objective(request.objective)
    storage = None if request.storage is None else str(request.storage)
    return search(
        series, cuts, fitter, _space(setting, names, request), aim, trials=request.trials, seed=request.seed,
        storage=storage, injected=request.labels is None, **beside,
    )  # fmt: skip


def _space(setting: Setting, names: Sequence[str], request: Request) -> Any:
    from watchband.analysis.training.space import FEATURES as READS
    from watchband.analysis.training.space import Candidates, feature_sets, fitting_sets

    plain = setting.space()
    fixed = request.given
    shape: dict[str, Any] = {"rule": plain.rule, "stated": plain.stated, "fixed": fixed}
    if setting.join is None:
        return Candidates(tuple(names), features=request.feature_sets, given=fixed, **shape)
    columns = setting.shared["columns"].split()
    wanted = JOINED_FEATURES if request.features is None else request.feature_sets
    fitting = fitting_sets(wanted, columns)
    if request.features is not None and len(fitting) < len(wanted):
        lost = ", ".join(name for name in wanted if name not in fitting)
        raise ConfigError(
            f"--features {lost} cannot be made of {len(columns)} metrics that are judged together. Name sets that "
            f"can: {', '.join(fitting_sets(JOINED_FEATURES, columns))}."
        )
    # What is tried first is made of all metrics, too.
    given = {name: {READS: fitting[0]} for name in names if fitting[0] in feature_sets(name)}
    given |= {name: {**given.get(name, {}), **told} for name, told in fixed.items()}
    return Candidates(tuple(names), features=fitting, given=given, **shape)


def _leaking(
    series: Sequence[Series],
    parts: Any,
    setting: Setting,
    names: Sequence[str],
    request: Request,
    beside: dict[str, Any],
) -> Leaked:
    """What rows divided at random would promise; nothing is fitted beforehand, since every part leaks into all."""
    from watchband.analysis.training.fitting import has_model
    from watchband.analysis.tuning.space import Space
    from watchband.analysis.tuning.stratified import stratified

    plain = setting.space()
    space = Space(tuple(n for n in names if not has_model(n)) or (DEFAULT_DETECTOR,), plain.rule, stated=plain.stated)
    return stratified(
        series, parts, setting.replay(), space, test_share=request.test_share, trials=request.trials,
        seed=request.seed, storage=None if request.storage is None else str(request.storage), **beside,
    )  # fmt: skip


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
