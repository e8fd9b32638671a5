"""The labeller as a file: JSON that a person can read, with a checksum and a schema version. Nothing in it is run."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from watchband.analysis.risk.baseline import Usual
from watchband.analysis.risk.labeller import Labeller
from watchband.analysis.risk.naming import LoadScale
from watchband.analysis.risk.outlook import BINS, STATES
from watchband.analysis.risk.scaling import Scale
from watchband.core.errors import ConfigError, StateCorruptError, StateVersionError
from watchband.features.load import LoadFeature

FORMAT = "watchband-risk"
SCHEMA_VERSION = 1
BYTES_MAX = 256 << 20
_ADVICE = "Make it anew: watchband risk FILE… --save risk.json."


def checksum(body: Mapping[str, Any]) -> str:
    """Of the content, however it is laid out."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def to_document(labeller: Labeller) -> dict[str, Any]:
    """All of it as plain data; floats keep every bit."""
    features = []
    for feature in labeller.features:
        said = asdict(feature)
        said["low"] = None if np.isneginf(feature.low) else feature.low
        said["high"] = None if np.isposinf(feature.high) else feature.high
        features.append(said)
    body = {
        "features": features,
        "step": labeller.step,
        "scale": {"centre": labeller.scale.centre.tolist(), "spread": labeller.scale.spread.tolist()},
        "centres": labeller.centres.tolist(),
        "states": labeller.states.tolist(),
        "groups": _usual(labeller.groups),
        "top": _usual(labeller.top),
        "load": {
            "low": labeller.load.low.tolist(),
            "top": labeller.load.top.tolist(),
            "roles": labeller.load.roles.tolist(),
        },
        "entities": list(labeller.entities),
        "own": _usual(labeller.own),
        "reach": labeller.reach,
        "deviation": labeller.deviation,
        "horizon": labeller.horizon,
        "outlook": labeller.outlook.tolist(),
        "profile": dict(labeller.profile),
    }
    return {"format": FORMAT, "schema": SCHEMA_VERSION, "checksum": checksum(body), "body": body}


def _usual(usual: Usual) -> dict[str, Any]:
    return {name: _gaps(getattr(usual, name)) for name in ("middle", "spread")}


def _gaps(array: np.ndarray) -> Any:
    """NaN as null: JSON has no other word for it."""
    return [[None if value != value else value for value in row] for row in array.tolist()]


def save(labeller: Labeller, path: str | os.PathLike[str]) -> None:
    """Write it, whole or not at all."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=target.name, dir=target.parent)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(to_document(labeller), file, separators=(",", ":"), allow_nan=False)
            file.write("\n")
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> Labeller:
    """Read it back.

    Raises
    ------
    ConfigError
        There is no such file.
    StateCorruptError, StateVersionError
        It is damaged, foreign or of a newer release.
    """
    file = Path(path)
    try:
        if file.stat().st_size > BYTES_MAX:
            raise StateCorruptError(f"{file} has more than {BYTES_MAX >> 20} MiB; that is no risk model. {_ADVICE}")
        text = file.read_text()
    except OSError as error:
        raise ConfigError(f"The risk model {file} cannot be read ({error.strerror}). {_ADVICE}") from None
    except UnicodeDecodeError:
        raise StateCorruptError(f"{file} is not a risk model: it is no text. {_ADVICE}") from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise StateCorruptError(f"{file} is not a risk model: it is no JSON. {_ADVICE}") from None
    return from_document(document, str(file))


def from_document(document: Any, name: str = "this document") -> Labeller:
    """The labeller of a document.

    Raises
    ------
    StateCorruptError, StateVersionError
        As ``load``.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StateCorruptError(f"{name} is not a risk model: it does not say 'format: {FORMAT}'. {_ADVICE}")
    schema = document.get("schema")
    if schema != SCHEMA_VERSION:
        raise StateVersionError(f"{name} has schema version {schema!r}; this release reads {SCHEMA_VERSION}. {_ADVICE}")
    body = document.get("body")
    if not isinstance(body, dict) or document.get("checksum") != checksum(body):
        raise StateCorruptError(f"{name}: the checksum does not match, it was changed or is damaged. {_ADVICE}")
    try:
        labeller = _labeller(body)
        _check(labeller)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise StateCorruptError(f"{name} makes no sense ({error}). {_ADVICE}") from None
    return labeller


def _labeller(body: Mapping[str, Any]) -> Labeller:
    features = tuple(
        LoadFeature(
            str(f["name"]), f["role"], str(f["word"]), str(f["unit"]), f["capacity"],
            -np.inf if f["low"] is None else float(f["low"]), np.inf if f["high"] is None else float(f["high"]),
        )
        for f in body["features"]
    )  # fmt: skip
    width = len(features)

    def usual(given: Mapping[str, Any]) -> Usual:
        return Usual(*(np.array(given[n], np.float64).reshape(-1, width) for n in ("middle", "spread")))

    def floats(given: Any) -> np.ndarray:
        return np.array(given, np.float64)

    scale, load = body["scale"], body["load"]
    return Labeller(
        features,
        int(body["step"]),
        Scale(floats(scale["centre"]), floats(scale["spread"])),
        floats(body["centres"]).reshape(-1, width),
        np.array(body["states"], np.int64),
        usual(body["groups"]),
        usual(body["top"]),
        LoadScale(floats(load["low"]), floats(load["top"]), np.array(load["roles"], np.int64)),
        tuple(map(str, body["entities"])),
        usual(body["own"]),
        float(body["reach"]),
        float(body["deviation"]),
        int(body["horizon"]),
        floats(body["outlook"]),
        dict(body["profile"]),
    )


def _check(found: Labeller) -> None:
    width, k = len(found.features), len(found.centres)
    shapes = {
        "scale": (found.scale.centre.shape, (width,)),
        "spread": (found.scale.spread.shape, (width,)),
        "states": (found.states.shape, (k,)),
        "groups": (found.groups.middle.shape, (k, width)),
        "top": (found.top.middle.shape, (1, width)),
        "load": (found.load.roles.shape, (width,)),
        "own": (found.own.middle.shape, (len(found.entities), width)),
        "outlook": (found.outlook.shape, (STATES * BINS,)),
    }
    wrong = [name for name, (got, expected) in shapes.items() if got != expected]
    if not width or not k or wrong or found.step < 1:
        raise ValueError(f"sizes do not fit: {', '.join(wrong) or 'nothing is in it'}")
