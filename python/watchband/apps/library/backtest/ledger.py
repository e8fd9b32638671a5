"""The results directory: one record a series and candidate, so that a run that was killed goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchband.apps.library.outputs.folder import list_files
from watchband.core.alert import Alert
from watchband.core.errors import ConfigError, PermanentError

MANIFEST = "manifest.json"
REPLAY, SCORES = "replay", "scores"
LOCK = f"{REPLAY}/lock"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one replay: one series under one candidate.

    Parameters
    ----------
    series, candidate : str
        Their names.
    alerts : list of Alert
        The last state of every alert, in order of opening.
    points, anomalies : int
        Points that were judged, and those of them with an anomaly score above 1.
    """

    series: str
    candidate: str
    alerts: list[Alert]
    points: int
    anomalies: int

    def to_json(self) -> str:
        """As it is kept."""
        document = {
            "series": self.series,
            "candidate": self.candidate,
            "points": self.points,
            "anomalies": self.anomalies,
            "alerts": [alert.to_dict() for alert in self.alerts],
        }
        return json.dumps(document, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Record:
        """The inverse of ``to_json``; ValueError, KeyError or TypeError where it is damaged."""
        data = json.loads(text)
        alerts = [Alert.from_dict(alert) for alert in data["alerts"]]
        return cls(data["series"], data["candidate"], alerts, int(data["points"]), int(data["anomalies"]))


class Ledger:
    """A results directory.

    ``replay/KEY.json`` is written last, in one step: where it is, the replay is whole. The key is a hash of the
    readings of the series, of everything that shapes the candidate, and of the code.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    about : mapping
        What the run is, for people who look into the manifest.

    Raises
    ------
    ConfigError
        The folder holds what no backtest wrote.
    PermanentError
        It cannot be made.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder = folder
        check_results(folder)
        try:
            (folder / REPLAY).mkdir(parents=True, exist_ok=True)
            (folder / SCORES).mkdir(exist_ok=True)
        except OSError as error:
            raise PermanentError(f"Cannot write to {folder}: {error.strerror}. Choose another --out folder.") from error
        self._about = dict(about)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this holds no other run writes here.

        Raises
        ------
        ConfigError
            Another run is writing here.
        """
        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConfigError(
                    f"Another backtest is writing to {self.folder}. Wait for it, or name another --out folder."
                ) from error
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """As ``held``, for a run that begins: what a killed one left half done is removed first."""
        with self.held():
            self._remove_halves()
            self.write_manifest({}, [])
            yield

    def write_manifest(self, keys: Mapping[str, tuple[str, str]], files: Sequence[str]) -> None:
        """Say what is here: of every key series and candidate, and the files written at the end."""
        replays = {key: {"series": series, "candidate": name} for key, (series, name) in keys.items()}
        document = {"watchband": "backtest", "format": FORMAT, **self._about, "files": list(files), "replays": replays}
        write_whole(self.folder / MANIFEST, json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n")

    def find(self, key: str) -> Record | None:
        """The record of a replay that was finished; None where there is none, or it is damaged."""
        try:
            return Record.from_json((self.folder / REPLAY / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def scores(self, key: str) -> Path:
        """Where the scores of a replay are."""
        return self.folder / SCORES / f"{key}.parquet"

    def commit(self, key: str, record: Record, part: Path | None) -> None:
        """Keep a finished replay: its scores first, its record last."""
        if part is not None:
            part.replace(self.scores(key))
        write_whole(self.folder / REPLAY / f"{key}.json", record.to_json())

    def _remove_halves(self) -> None:
        for folder in (self.folder / REPLAY, self.folder / SCORES):
            for path in folder.glob("*.part"):
                path.unlink(missing_ok=True)


def key_of(*parts: str) -> str:
    """The hash under which a replay is kept.

    Examples
    --------
    >>> len(key_of("data", "auto")), key_of("a", "bc") == key_of("ab", "c")
    (32, False)
    """
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def check_results(folder: Path) -> None:
    """Raise ConfigError unless results may be written there: absent, empty, or a backtest's own."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f"--out {folder} is a file. Name a folder.")
    # What a run leaves that is killed before it has written a manifest is nobody's work.
    present = [name for name in list_files(folder) if name not in (LOCK, f"{MANIFEST}.part")]
    if not present:
        return
    try:
        ours = json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("watchband") == "backtest"
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        raise ConfigError(
            f"--out {folder} holds {present[0]!r} and no results of a backtest. Nothing was changed; name a new or "
            "empty folder."
        )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all, whenever the process ends."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def code_fingerprint() -> str:
    """Hash of the code that judges: results of another release, or of changed code, are not taken for this one's."""
    import watchband

    root = Path(watchband.__file__).parent
    folders = ("core", "features", "detectors", "pipeline", "evaluation/backtest")
    paths = [p for name in folders for p in (root / name).rglob("*.py")]
    digest = hashlib.blake2b(watchband.__version__.encode(), digest_size=16)
    for path in sorted([*paths, *root.glob("_kernels*.so"), *root.glob("_kernels*.pyd")]):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
