"""``risk``: fit a model to files, or label files with one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.analysis.risk.artifact import load, save
from watchband.analysis.risk.fit import Fitted, Settings, fit
from watchband.analysis.risk.labeller import Labeller
from watchband.apps.library.risk.rows import Source, choose_features
from watchband.core.errors import ConfigError
from watchband.features.load import LoadFeature

if TYPE_CHECKING:
    from watchband.adapters.sources.files import Table

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What is asked.

    Parameters
    ----------
    by : sequence of str
        Labels that name an entity; all if none.
    features : sequence of str
        ``NAME``, ``NAME=ROLE`` or a set; all metrics if none.
    step : int, optional
        ns between rows.
    model : Path, optional
        Label with this model instead of fitting one.
    settings : Settings
        How to fit.
    """

    by: Sequence[str] = ()
    features: Sequence[str] = ()
    step: int | None = None
    model: Path | None = None
    settings: Settings = field(default_factory=Settings)


@dataclass(eq=False)
class Risked:
    """Files, and the model that labels them.

    Parameters
    ----------
    title : str
        Of the input.
    source : Source
        The rows.
    labeller : Labeller
        Fitted here or read.
    fitted : Fitted or None
        The evidence, if it was fitted here.
    notes : list of str
        What was left out, which entities the model has not seen.
    """

    title: str
    source: Source
    labeller: Labeller
    fitted: Fitted | None
    notes: list[str]

    def save(self, path: Path) -> None:
        """Write the model."""
        save(self.labeller, path)


def run(table: Table, title: str, request: Request, tell: Tell | None = None) -> Risked:
    """Fit or apply.

    Parameters
    ----------
    table : Table
        Stays open: labels are made while they are read.

    Raises
    ------
    WatchbandError
        Of the input or the model; says what to do.
    """
    told = (lambda done, total: tell("reading", done, total)) if tell else None
    if request.model is not None:
        return _applied(table, title, request, told)
    features = choose_features(table.keys, request.features)
    source = Source(table, features, request.by, request.step, told)
    assert source.step is not None
    fitted = fit(source.chunks, features, source.entities, source.step, request.settings)
    kept = {feature.name for feature in fitted.labeller.features}
    source = replace(source, features=[f for f in features if f.name in kept])
    profile: dict[str, Any] = {**fitted.labeller.profile, "by": list(request.by), "data": _fingerprint(table)}
    labeller = replace(fitted.labeller, profile=profile)
    return Risked(title, source, labeller, replace(fitted, labeller=labeller), fitted.notes)


def _applied(table: Table, title: str, request: Request, told: Callable[[int, int], None] | None) -> Risked:
    assert request.model is not None
    labeller = load(request.model)
    check_schema(labeller.features, {key.metric for key in table.keys}, str(request.model))
    by = request.by or labeller.profile.get("by", ())
    source = Source(table, labeller.features, by, request.step or labeller.step, told)
    known = labeller.known(source.entities)
    notes = []
    new = [name for name, number in zip(source.entities, known.tolist(), strict=True) if number < 0]
    if new:
        shown = ", ".join(new[:5]) + (f" and {len(new) - 5} more" if len(new) > 5 else "")
        notes.append(
            f"{len(new)} of {len(known)} entities were not seen when the model was fitted ({shown}): they are judged "
            "by the fleet alone"
        )
    return Risked(title, source, labeller, None, notes)


def check_schema(features: Sequence[LoadFeature], metrics: set[str], model: str) -> None:
    """Raise ConfigError where data lack more than a third of a model's metrics; a few missing ones are done without."""
    missing = [feature.name for feature in features if feature.name not in metrics]
    if 3 * len(missing) > len(features):
        have = sorted(metrics)
        raise ConfigError(
            f"The model {model} reads {len(features)} metrics; these data have no {', '.join(missing)}. They have "
            f"{', '.join(have[:20])}{' and more' if len(have) > 20 else ''}. Relabel them, or fit a model to them."
        )


def _fingerprint(table: Table) -> str:
    """Of what was read: names, series and spans."""
    digest = hashlib.blake2b(digest_size=8)
    for file in table.profile.files:
        digest.update(f"{file.file} {file.rows} {file.first_ns} {file.last_ns}\n".encode())
    for key in table.keys:
        digest.update(f"{key}\n".encode())
    return digest.hexdigest()
