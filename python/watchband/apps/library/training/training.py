"""What ``wb.train`` gives: a champion with its evidence, as sentences, tables, a document, a folder."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchband.analysis.training.outcome import Trained
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Series
from watchband.analysis.tuning.stratified import Leaked
from watchband.apps.library.options import Options
from watchband.apps.library.tune import Setting
from watchband.core.errors import ConfigError


class Training:
    """The result of ``train``.

    Attributes
    ----------
    result : Trained or Leaked
        Everything, as the analysis has it.
    title : str
        Name of the input.
    notes : list of str
        How the input was read, and what was left out.
    out, files : Path or None, list of str
        The folder written and what is in it.
    """

    def __init__(
        self,
        result: Trained | Leaked,
        *,
        series: Sequence[Series],
        original: Sequence[Series],
        options: Options,
        setting: Setting,
        workspace: Path,
        title: str,
        notes: Sequence[str] = (),
        columns: Mapping[str, Any] | None = None,
        command: str = "",
        created: int = 0,
    ) -> None:
        self.result, self.title, self.notes = result, title, list(notes)
        self.series, self.original = list(series), list(original)
        self.options, self.setting, self.columns = options, setting, dict(columns or {})
        self.command, self.created = command, created
        self.out: Path | None = None
        self.files: list[str] = []
        # Model files are needed as long as somebody may write them.
        weakref.finalize(self, shutil.rmtree, workspace, ignore_errors=True)
        self._latency: dict[str, Any] | None = None

    @property
    def trained(self) -> Trained:
        """The result of a training in time.

        Raises
        ------
        ConfigError
            Rows were divided at random, so that nothing was trained.
        """
        if isinstance(self.result, Leaked):
            raise ConfigError("Rows divided at random leak: nothing is chosen by them. Train with --split time.")
        return self.result

    @property
    def sentences(self) -> list[str]:
        """The champion, what it is worth, and what is not known, for people."""
        return list(self.result.sentences)

    @property
    def champion(self) -> Configuration:
        """What was chosen, without the path of a model file."""
        return self.trained.champion.configuration

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Finalists and baselines as plain data, the champion first."""
        from watchband.apps.library.training.document import row_document

        return [row_document(row, self.trained) for row in self.trained.rows]

    @property
    def latency(self) -> dict[str, Any]:
        """Processor time a sample of the champion, measured when first asked for."""
        if self._latency is None:
            from watchband.apps.library.training.latency import latency

            self._latency = latency(self.fitted.watch(self.setting.watch, self.setting.shared), self.original)
        return self._latency

    @property
    def fitted(self) -> Configuration:
        """The champion with the path of its model file, which lasts as long as this object."""
        made = self.trained.champion.fitted
        return self.champion if made is None else made.configuration

    def document(self) -> dict[str, Any]:
        """Everything as plain data: what ``--json`` prints."""
        from watchband.apps.library.training.document import training_document

        return training_document(self)

    def write(self, out: str | Path) -> list[str]:
        """Write the champion and its evidence into a folder; the names of the files.

        Raises
        ------
        ConfigError
            The folder holds what Watchband did not write; or rows were divided at random.
        """
        from watchband.apps.library.training.folder import write_folder

        self.files = write_folder(self, Path(out))
        self.out = Path(out)
        return self.files

    def __repr__(self) -> str:
        if isinstance(self.result, Leaked):
            return "Training(leaks)"
        return f"Training({self.champion.text}; {self.result.tried} configurations tried)"
