"""``champion.json``: what was chosen, on which data, by which rule, what it is worth, and a checksum of each file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchband.core.errors import NotThereError, StateCorruptError, StateVersionError

CARD = "champion.json"
FORMAT = "watchband-champion"
SCHEMA_VERSION = 1
"""Raised when a field changes its meaning or goes away."""
CARD_BYTES_MAX = 16 << 20
FILE_BYTES_MAX = 2 << 30
ADVICE = "Put the folder back from a backup, or train anew: watchband train FILE… --out DIR."


def checksum_of(data: bytes) -> str:
    """Thirty-two hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def file_entry(path: Path) -> dict[str, Any]:
    """Size and checksum of a file, as the card keeps them."""
    digest, size = hashlib.blake2b(digest_size=16), 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
            size += len(part)
    return {"bytes": size, "checksum": digest.hexdigest()}


def sealed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A card with its checksum."""
    return {"format": FORMAT, "schema_version": SCHEMA_VERSION, "checksum": _checksum(body), **body}


def _checksum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return checksum_of(text.encode())


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a folder, checked.

    Raises
    ------
    NotThereError
        There is no such folder, or no card in it.
    StateCorruptError
        It was changed, is damaged, or is no card.
    StateVersionError
        It is of a newer release.
    """
    path = folder / CARD
    if not path.is_file():
        raise NotThereError(
            f"{folder} holds no trained model: there is no {CARD} in it. Name a folder that watchband train wrote."
        )
    if path.stat().st_size > CARD_BYTES_MAX:
        raise StateCorruptError(f"{path} has more than {CARD_BYTES_MAX >> 20} MiB; that is no card. {ADVICE}")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StateCorruptError(f"{path} cannot be read ({error}). {ADVICE}") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise StateCorruptError(f"{path} is not the card of a trained model. {ADVICE}")
    version = card.get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise StateVersionError(
            f"{path} has schema version {version!r}; this release reads up to {SCHEMA_VERSION}. Upgrade Watchband."
        )
    body = {k: v for k, v in card.items() if k not in ("format", "schema_version", "checksum")}
    if card.get("checksum") != _checksum(body):
        raise StateCorruptError(f"The checksum of {path} does not match: it was changed or is damaged. {ADVICE}")
    return card


def check_file(folder: Path, card: Mapping[str, Any], name: str) -> None:
    """Raise unless a file is what the card says it was.

    Raises
    ------
    NotThereError
        It is gone.
    StateCorruptError
        It was changed, or the card knows nothing of it.
    """
    said = card.get("files", {}).get(name)
    path = folder / name
    if not isinstance(said, dict) or Path(name).name != name:
        raise StateCorruptError(f"The card of {folder} does not vouch for {name!r}. {ADVICE}")
    if not path.is_file():
        raise NotThereError(f"{path} is gone, and the champion needs it. {ADVICE}")
    if path.stat().st_size > FILE_BYTES_MAX or file_entry(path) != {k: said.get(k) for k in ("bytes", "checksum")}:
        raise StateCorruptError(
            f"{path} is not the file that was trained: its size or checksum differs from that in {CARD}. {ADVICE}"
        )
