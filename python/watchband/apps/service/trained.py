"""A trained model as a challenger: what its card says, and its file kept beside the store."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.adapters.stores.sqlite.backup import MODELS as FOLDER
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.core.ports import StoreSettings


def trained(folder: str, store: StoreSettings) -> dict[str, Any]:
    """Detector and rule of a folder that ``watchband train`` wrote, as settings of a watch.

    The file that scores is copied beside a store that has a directory, under its checksum: the folder may go away.

    Raises
    ------
    ConfigError, StateError
        There is no such folder, or it cannot be trusted.
    """
    from watchband.apps.library.training.model import load_model

    model = load_model(folder)
    made = model.configuration
    kind, _, rest = made.rule.partition(":")
    rule: dict[str, Any] = {kind: float(rest) if kind in ("cutoff", "contamination") else rest}
    name, beside = model.card["champion"]["model"], getattr(store, "path", None)
    if name is None:
        return {"detector": made.text, **rule}
    path = model.folder / name
    if beside is not None:
        path = kept(path, Path(beside) / FOLDER, str(model.card["checksum"]))
    if "," in str(path):
        raise ConfigError(f"The path {path} has a comma in it, which no detector can be told. Rename the folder.")
    made = dataclasses.replace(made, parameters={**made.parameters, "model": str(path)})
    return {"detector": made.text, **rule}


def kept(path: Path, folder: Path, checksum: str) -> Path:
    """A copy of a file by the checksum of its card, made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = (folder / f"{checksum}{path.suffix}").absolute()
    if not copy.is_file():
        part = copy.with_suffix(".part")
        shutil.copyfile(path, part)
        part.chmod(0o600)
        part.replace(copy)
    return copy
