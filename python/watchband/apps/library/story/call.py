"""``wb.report``: reads the folder of a training, checks it, and gives its story."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

from watchband.apps.library.story.figures import number
from watchband.apps.library.training.card import check_file, read_card
from watchband.core.errors import StateCorruptError, WatchbandError

RESULTS, MISTAKES = "model_results.csv", "mistakes.csv"
PICTURES = ("anomaly_plot.png", "forecast_plot.png")
CSV_BYTES_MAX = 64 << 20
MISTAKES_SHOWN = 20


class Story:
    """The story of a training.

    Attributes
    ----------
    folder : Path
        Where it stands.
    card : dict
        ``champion.json``, checked.
    rows : list of dict
        Champion, finalists, baselines, with their figures on both parts.
    trials : list of (str, float)
        Detector and value on the validation part of every trial; NaN where it was given up.
    mistakes : list of dict
        What the champion missed and what it said without reason on the test part.
    left : list of str
        Files that are gone or were changed since, with what is wrong.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card: dict[str, Any] = read_card(folder)
        try:
            self.rows: list[dict[str, Any]] = list(self.card["rows"])
            self.champion = next(row for row in self.rows if row["role"] == "champion")
            self.selection: dict[str, Any] = self.card["selection"]
            self.data: dict[str, Any] = self.card["data"]
        except (KeyError, TypeError, StopIteration):
            raise StateCorruptError(
                f"The card of {folder} tells of no training with a champion, so there is no story. Train anew: "
                "watchband train FILE… --out DIR."
            ) from None
        self.left: list[str] = []
        self._sound = {name for name in self.card.get("files", {}) if self._check(name)}
        self.trials = [(row["detector"], number(row["validation"])) for row in self._table(RESULTS)]
        self.mistakes = self._table(MISTAKES)

    @property
    def title(self) -> str:
        """Name of the data it was trained on."""
        return str(self.card.get("title") or self.folder.name)

    @property
    def checked(self) -> tuple[int, int]:
        """Files that are what was trained, and all that the card vouches for."""
        return len(self._sound), len(self.card.get("files", {}))

    @property
    def baselines(self) -> list[dict[str, Any]]:
        """The simple rules that it had to beat."""
        return [row for row in self.rows if row["role"] == "baseline"]

    def picture(self, name: str) -> bytes | None:
        """The bytes of a picture; None where it is not there or not what was written."""
        return (self.folder / name).read_bytes() if name in self._sound else None

    def document(self) -> dict[str, Any]:
        """The story as plain data: what ``--json`` prints."""
        from watchband.apps.library.story import sentences

        sound, vouched = self.checked
        return {
            "watchband": self.card.get("versions", {}).get("watchband"),
            "format": 1,
            "title": self.title,
            "verdict": sentences.verdict(self),
            "headline": sentences.headline(self),
            "asked": sentences.asked(self),
            "data": sentences.data(self),
            "tried": sentences.tried(self),
            "won": sentences.won(self),
            "cost": sentences.cost(self),
            "misses": sentences.misses(self),
            "sure": sentences.sure(self),
            "do": [{"says": says, "command": command} for says, command in sentences.steps(self)],
            "files": {"as_trained": sound, "vouched_for": vouched, "problems": self.left},
        }

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page; it opens anywhere, with nothing to fetch, and prints in grey."""
        from watchband.apps.library.story.page import render

        target = Path(path)
        target.write_text(render(self), encoding="utf-8")
        return target

    def __repr__(self) -> str:
        from watchband.apps.library.story import sentences

        return f"Story({self.title!r}; {sentences.headline(self)})"

    def _check(self, name: str) -> bool:
        try:
            check_file(self.folder, self.card, name)
        except WatchbandError as error:
            self.left.append(str(error))
            return False
        return True

    def _table(self, name: str) -> list[dict[str, str]]:
        path = self.folder / name
        if name not in self._sound or path.stat().st_size > CSV_BYTES_MAX:
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


def report(folder: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Story:
    """The whole story of a training.

    Parameters
    ----------
    folder : path
        What ``watchband train --out`` wrote.
    out : path, optional
        The page to write; it is replaced.

    Raises
    ------
    NotThereError
        There is no such folder, or no card in it.
    StateCorruptError, StateVersionError
        The card was changed, is damaged, or of a newer release. Other files that were changed are named on the page and
        left out of it.
    """
    found = Story(Path(folder))
    if out is not None:
        found.write(out)
    return found
