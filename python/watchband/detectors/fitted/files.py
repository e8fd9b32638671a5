"""Model files of fitted detectors: what ``model: PATH.wbm`` reads and ``watchband train`` writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchband.core import artifact
from watchband.core.errors import ConfigError, StateCorruptError, StateVersionError
from watchband.detectors.fitted.fit import Fit
from watchband.features.feature_set import FeatureSet

VERSION = 1


@dataclass(frozen=True, eq=False)
class Model:
    """A model file that was read: the fit, how points become its rows, and the file's checksum."""

    fit: Fit
    rows: FeatureSet
    checksum: str


def document(fit: Fit, made_by: FeatureSet) -> dict[str, Any]:
    """What a model file says besides its arrays."""
    return {"version": VERSION, "features": made_by.schema()}


def write(path: str, fit: Fit, made_by: FeatureSet) -> str:
    """Write a model; returns the checksum of the file."""
    return artifact.write(path, fit.kind, document(fit, made_by), fit.to_arrays())


def read(path: str, wanted: type[Fit]) -> Model:
    """Read a model of the wanted kind.

    Raises
    ------
    NotThereError, StateError
        The file is not there, damaged, of another kind, or made for features that this release makes otherwise.
    """
    found = artifact.read(path, wanted.kind)
    if found.document.get("version") != VERSION:
        raise StateVersionError(
            f"{path} is version {found.document.get('version')!r} of a {wanted.kind}; this release reads {VERSION}. "
            "Upgrade Watchband, or train the model anew."
        )
    try:
        made_by = FeatureSet.from_schema(found.document["features"])
    except (KeyError, TypeError, AttributeError, ConfigError) as error:
        raise StateCorruptError(
            f"The features of {path} are none that this release makes ({error}). Train the model anew."
        ) from None
    return Model(wanted.from_arrays(made_by.names, found.arrays), made_by, found.checksum)
