"""What ``wb.tune`` gives: a decision with its reasons, a configuration to keep, a table, a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from watchband.analysis.tuning.budget import Budgeted
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Series
from watchband.analysis.tuning.result import Tuned
from watchband.analysis.tuning.stratified import Leaked
from watchband.apps.library.outputs.documents import to_json
from watchband.apps.library.outputs.folder import SUMMARY, list_files, output_folder
from watchband.core.errors import ConfigError

Result = Tuned | Budgeted | Leaked
LIMITS_MAX = 20
"""Series whose own limits are told."""
SUFFIXES = (".yaml", ".yml", ".json")


class Tuning:
    """The result of ``tune``.

    Attributes
    ----------
    result : Tuned, Budgeted or Leaked
        Everything, as the analysis has it.
    title : str
        Name of the input.
    notes : list of str
        How the input was read.
    """

    def __init__(
        self,
        result: Result,
        *,
        title: str,
        notes: Sequence[str] = (),
        timezone: str = "UTC",
        command: str = "",
        series: Sequence[Series] = (),
    ) -> None:
        self.result, self.title, self.notes = result, title, list(notes)
        self.timezone, self.command = timezone, command
        # Limits that are quantiles of the past are numbers of each series: of all of it, now that it is known.
        self._fitted = [(str(s.key), self._chosen.fitted(s.values)) for s in series] if self._chosen.fits else []
        if len(self._fitted) > 1:
            self.notes += [f"limits of {key}: {one.flags}" for key, one in self._fitted[:LIMITS_MAX]]

    @property
    def decision(self) -> str:
        """In a word: of a search ``better``, ``no difference``, ``worse`` or ``nothing found``; of a budget ``kept``,
        ``changed`` or ``not met``; ``leaks`` where rows were divided at random.
        """
        if isinstance(self.result, Budgeted):
            return "kept" if self.result.kept else "changed" if self.result.met else "not met"
        return self.result.decision if isinstance(self.result, Tuned) else "leaks"

    @property
    def sentences(self) -> list[str]:
        """The decision and its reasons, for people."""
        return list(self.result.sentences)

    @property
    def chosen(self) -> Configuration:
        """What to use: the one that was found only where it is shown to be better."""
        return self._fitted[0][1] if len(self._fitted) == 1 else self._chosen

    @property
    def _chosen(self) -> Configuration:
        if isinstance(self.result, Leaked):
            return self.result.default
        return self.result.chosen if isinstance(self.result, Tuned) else self.result.chosen.configuration

    @property
    def flags(self) -> str:
        """The chosen configuration as flags of ``watchband detect``."""
        return self.chosen.flags

    @property
    def tried(self) -> int:
        """Configurations that were tried."""
        return self.result.tried

    def document(self) -> dict[str, Any]:
        """Everything as plain data: what ``--json`` prints."""
        from watchband.apps.library.tuning.documents import tuning_document

        return tuning_document(self)

    def save(self, path: str | Path) -> Path:
        """Write the chosen configuration, parameters only: YAML or JSON by the name.

        Raises
        ------
        ConfigError
            Another kind of name.
        """
        target = Path(path)
        if target.suffix.lower() not in SUFFIXES:
            raise ConfigError(f"A configuration is kept as YAML or JSON: {', '.join(SUFFIXES)}. Got {target.name!r}.")
        text = to_json(self.chosen.document()) if target.suffix.lower() == ".json" else self.chosen.yaml()
        target.write_text(text, encoding="utf-8")
        return target

    def report(self, path: str | Path) -> Path:
        """Write the report: one page that opens anywhere."""
        from watchband.apps.library.tuning.page import render

        target = Path(path)
        target.write_text(render(self), encoding="utf-8")
        return target

    def write(self, out: str | Path) -> list[str]:
        """Write report, tables and configuration into a folder; the names of the files."""
        with output_folder(Path(out)) as folder:
            self.report(folder / "report.html")
            self.save(folder / "configuration.yaml")
            self.save(folder / "configuration.json")
            written = sorted([*list_files(folder), SUMMARY])
            (folder / SUMMARY).write_text(to_json({**self.document(), "files": written}), encoding="utf-8")
        return written

    def __repr__(self) -> str:
        return f"Tuning({self.decision}: {self.flags}; {self.tried} configurations tried)"
