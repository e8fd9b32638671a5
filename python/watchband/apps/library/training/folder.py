"""The folder of a champion: under the names that such files are known by, each vouched for by the card."""

from __future__ import annotations

import dataclasses
import platform
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.analysis.training.outcome import Finalist
from watchband.analysis.tuning.material import Series
from watchband.apps.library.detection import Findings
from watchband.apps.library.engine import run
from watchband.apps.library.gather import Gatherer
from watchband.apps.library.moments import iso
from watchband.apps.library.options import RULES, Options, column_name
from watchband.apps.library.outputs.documents import to_json, write_json
from watchband.apps.library.outputs.folder import SUMMARY, list_files, output_folder
from watchband.apps.library.outputs.top import TOP, TopPoints
from watchband.apps.library.pulled import PulledBatch
from watchband.apps.library.training import tables
from watchband.apps.library.training.card import CARD, file_entry, sealed
from watchband.apps.library.training.document import training_document
from watchband.apps.library.training.forecaster import forecast, write_forecast
from watchband.core import artifact
from watchband.core.errors import DataError, InvalidParameterError
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.apps.library.training.training import Training

FILES = {"one_class_svm": "one_class_svm_final.wbm"}
"""Names of model files, where they are not that of the detector."""
SCALER, NAMES, CONFIG = "scaler.wbm", "feature_names.json", "final_model_config.json"
LIBRARIES = ("numpy", "scikit-learn", "scipy", "optuna", "pyarrow")
BATCH = 1 << 16


def model_file(detector: str) -> str:
    """What the model file of a detector is called."""
    return FILES.get(detector, f"{detector}{artifact.SUFFIX}")


def write_folder(training: Training, out: Path) -> list[str]:
    """Write everything, whole or not at all; the names of the files."""
    trained = training.trained
    with output_folder(out) as folder:
        needs = _models(trained.rows, folder)
        _features(training, folder)
        write_json({**training.champion.document(), "model": needs.get("champion")}, folder / CONFIG)
        for name, text in (
            ("model_results.csv", tables.model_results(trained)),
            ("final_model_selection.csv", tables.final_model_selection(trained)),
            ("mistakes.csv", tables.mistakes_table(trained.mistakes)),
        ):
            (folder / name).write_text(text, encoding="utf-8")
        _pictures(training, folder)
        notes = _forecast(training, folder)
        card = _card(training, folder, needs.get("champion"), notes)
        (folder / CARD).write_text(to_json(card), encoding="utf-8")
        written = sorted([*list_files(folder), SUMMARY])
        write_json({"watchband": card["versions"]["watchband"], "format": 1, "files": written}, folder / SUMMARY)
    return written


def _models(rows: Sequence[Finalist], folder: Path) -> dict[str, str]:
    """The model files of all finalists; that of the champion by that name."""
    found = {}
    for row in rows:
        if row.fitted is not None:
            name = model_file(row.configuration.detector)
            if not (folder / name).exists():
                shutil.copyfile(row.fitted.file, folder / name)
            if row.role == "champion":
                found["champion"] = name
    return found


def _features(training: Training, folder: Path) -> None:
    """What the champion reads, and what brings it to one unit; of a champion without a model the plain value."""
    fitted = training.trained.champion.fitted
    if fitted is not None and fitted.names:
        names, centre, scale = list(fitted.names), fitted.centre, fitted.scale
        detector: Any = fitted.configuration.build(training.setting.shared)
        features, schema = detector.rows.label or None, detector.rows.schema()
    else:
        cut = {str(one.key): c.train.stop for one, c in zip(training.series, training.trained.cuts, strict=True)}
        known = [one.wide[one.times < cut[str(one.key)]] for one in training.original if str(one.key) in cut]
        values = np.concatenate(known)
        values = np.where(np.isfinite(values), values, np.nan)
        names = [column_name(name) for name in training.options.join or ()] or ["value"]
        centre, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        features, schema = None, None
    document = {"schema_version": 1, "features": features, "names": names, "schema": schema}
    write_json(document, folder / NAMES)
    artifact.write(folder / SCALER, "scaler", document, {"centre": centre, "scale": scale})


class SeriesFeed:
    """Series in memory as a feed; of metrics that are judged together each is one."""

    def __init__(
        self, series: Sequence[Series], title: str, notes: Sequence[str] = (), *, join: Sequence[str] = ()
    ) -> None:
        self.title, self.notes = title, list(notes)
        self._series = [part for one in series for part in _apart(one, join)]

    def batches(self) -> Iterator[PulledBatch]:
        """Series after series."""
        keys = [one.key for one in self._series]
        at = 0
        for row, one in enumerate(self._series):
            for begin in range(0, len(one.times), BATCH):
                here = slice(begin, begin + BATCH)
                count = len(one.times[here])
                ordinal = np.arange(at, at + count, dtype=np.int64)
                yield PulledBatch(
                    np.full(count, row, np.int32), one.times[here], one.values[here], ordinal, keys[: row + 1]
                )
                at += count


def _apart(one: Series, join: Sequence[str]) -> list[Series]:
    if one.further is None:
        return [one]
    keys = [SeriesKey(name, one.key.labels) for name in join]
    return [Series(key, one.times, values) for key, values in zip(keys, one.wide.T, strict=True)]


def _pictures(training: Training, folder: Path) -> None:
    """``top_50_anomalies.csv`` and ``anomaly_plot.png``: what the champion says of all the data as they came."""
    from watchband.apps.library.plot import write_plot

    options = dataclasses.replace(champion_options(training), detector=training.fitted.build(training.setting.shared))
    gatherer, top = Gatherer(), TopPoints()
    feed = SeriesFeed(training.original, training.title, join=options.join or ())
    outcome = run(options.watch(), feed.batches(), excluded=options.excluded(), consumers=[gatherer, top])
    top.write(folder / f"top_{TOP}_anomalies.csv")
    found = Findings(outcome, gatherer, options.settings(), feed)
    views = found.view().series
    worst = str(found.alerts[0].series) if found.alerts else str(views[0].key)
    view = next(one for one in views if str(one.key) == worst)
    write_plot(view, folder / "anomaly_plot.png", timezone=options.timezone)


def champion_options(training: Training) -> Options:
    """What ``detect`` is told but for the detector: what the user stated, and rule and policy of the champion."""
    kind, _, rest = training.champion.rule.partition(":")
    value: Any = float(rest) if kind in ("cutoff", "contamination") else rest
    return dataclasses.replace(training.options, **{**dict.fromkeys(RULES), kind: value, **training.champion.policy})


def _forecast(training: Training, folder: Path) -> list[str]:
    """The forecaster of the first series; why there is none where there is none."""
    try:
        found = forecast(training.original[0])
    except (DataError, InvalidParameterError) as error:
        return [f"no forecaster: {error}"]
    write_forecast(found, folder, training.options.timezone)
    return []


def _card(training: Training, folder: Path, model: str | None, notes: list[str]) -> dict[str, Any]:
    document = training_document(training)
    plain = Options()
    stated = {
        f.name: getattr(training.options, f.name)
        for f in dataclasses.fields(Options)
        if f.name not in ("detector", "exclude", *RULES) and getattr(training.options, f.name) != getattr(plain, f.name)
    }
    if isinstance(stated.get("range"), tuple):
        stated["range"] = ":".join("" if end is None else f"{end:g}" for end in stated["range"])
    needs = [NAMES, CONFIG, SCALER, *([model] if model else [])]
    body = {
        "created": iso(training.created),
        "command": training.command,
        "versions": _versions(),
        **{k: v for k, v in document.items() if k not in ("watchband", "format", "kind")},
        "champion": {**document["champion"], "model": model, "needs": needs},
        "options": stated,
        "input": {k: v for k, v in training.columns.items() if v},
        "notes": [*document["notes"], *notes],
        "files": {name: file_entry(folder / name) for name in list_files(folder)},
    }
    return sealed(body)


def _versions() -> dict[str, str]:
    from watchband import __version__

    found = {"watchband": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
