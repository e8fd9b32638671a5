"""The document of ``watchband risk --json`` and the files of ``--out``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from watchband.apps.library.moments import iso
from watchband.apps.library.outputs.documents import FORMAT, write_json
from watchband.apps.library.outputs.folder import SUMMARY, output_folder
from watchband.apps.library.risk.call import Risked
from watchband.apps.library.risk.labels import count_labels, write_labels

MODEL = "model.json"
LABELS = "labels.csv"


def document(risked: Risked, counted: dict[str, Any]) -> dict[str, Any]:
    """What was found, as plain data.

    Parameters
    ----------
    counted : dict
        From ``write_labels`` or ``count_labels``.
    """
    from watchband import __version__

    labeller, profile = risked.labeller, risked.labeller.profile
    found: dict[str, Any] = {
        "watchband": __version__,
        "format": FORMAT,
        "input": risked.title,
        "notes": risked.notes,
        "features": [{"name": f.name, "role": f.role, "unit": f.unit} for f in labeller.features],
        "step_seconds": labeller.step / 1e9,
        **counted,
        "model": {
            "method": profile["method"],
            "groups": profile["groups"],
            "rows": profile["rows"],
            "entities": profile["entities"],
            "from": iso(profile["from"]),
            "to": iso(profile["to"]),
            "silhouette": profile["silhouette"],
            "stability": profile["stability"],
            "deviation": labeller.deviation,
            "words": profile["words"],
            "heat": profile["heat"],
            "outlook": {"steps": labeller.horizon, **profile["skill"]},
            "data": profile.get("data"),
        },
    }
    if risked.fitted is not None:
        found["evidence"] = risked.fitted.groups.document()
    return _plain(found)  # type: ignore[no-any-return]


def write(risked: Risked, target: Path) -> dict[str, Any]:
    """Write the folder of ``--out``: model, labels, summary and pictures. Returns the summary."""
    from watchband.apps.library.risk.pictures import write_pictures

    with output_folder(target) as folder:
        found = document(risked, write_labels(risked, folder / LABELS))
        risked.save(folder / MODEL)
        pictures = write_pictures(risked.fitted, folder) if risked.fitted is not None else []
        found["files"] = [MODEL, LABELS, *pictures]
        write_json(found, folder / SUMMARY)
    return found


def counted(risked: Risked) -> dict[str, Any]:
    """The same document without a folder."""
    return document(risked, count_labels(risked))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
