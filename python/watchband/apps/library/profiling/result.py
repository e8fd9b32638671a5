"""What ``wb.profile`` gives: every series, worst first, as a document, a page, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from watchband.analysis.profile.profile import Profile
from watchband.analysis.profile.together import Together
from watchband.apps.library.outputs.documents import to_json
from watchband.apps.library.outputs.folder import SUMMARY, output_folder
from watchband.apps.library.profiling import sentences
from watchband.apps.library.profiling.advice import Advice, advice_of
from watchband.core.errors import ConfigError


class Profiles:
    """Profiles of some series.

    Attributes
    ----------
    series : list of Profile
        Those that most want to be looked at first.
    together : Together or None
        Which of them move together; None where there are not two that change.
    title, timezone, command : str
        Name of the input; zone in which times are written; what was typed.
    notes, problems : list of str
        How the input was read; files that could not be.
    """

    def __init__(
        self,
        series: Sequence[Profile],
        together: Together | None,
        title: str,
        notes: Sequence[str],
        problems: Sequence[str],
        timezone: str,
        paths: list[str],
        flags: list[str],
        command: str = "",
    ) -> None:
        self.series, self.together, self.title = list(series), together, title
        self.notes = [n for n in notes if not n.startswith("left out: ")]
        self.problems, self.timezone, self.command = list(problems), timezone, command
        self.advice: list[Advice] = advice_of(self.series, paths, flags)

    @property
    def rows(self) -> int:
        """Readings of all series."""
        return sum(p.rows for p in self.series)

    @property
    def faulty(self) -> list[Profile]:
        """Series with a fault, worst first."""
        return [p for p in self.series if p.faults]

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        if len(self.series) == 1:
            return sentences.headline(self.series[0])
        if not self.faulty:
            return f"{len(self.series):,} series, no faults"
        return f"{len(self.faulty):,} of {len(self.series):,} series want a look"

    def __getitem__(self, name: str) -> Profile:
        found = next((p for p in self.series if str(p.key) == name), None)
        if found is None:
            known = ", ".join(str(p.key) for p in self.series[:5])
            raise ConfigError(f"There is no series {name!r} in {self.title}. It has {known}.")
        return found

    def document(self) -> dict[str, Any]:
        """Everything as plain data: what ``--json`` prints."""
        from watchband.apps.library.profiling.document import document

        return document(self)

    def report(self, path: str | Path) -> Path:
        """Write the page; it opens anywhere, with nothing to fetch."""
        from watchband.apps.library.profiling.page import render

        target = Path(path)
        target.write_text(render(self), encoding="utf-8")
        return target

    def write(self, out: str | Path) -> list[str]:
        """Write ``profile.html`` and ``profile.json`` into a folder; the names of the files."""
        names = ["profile.html", "profile.json", SUMMARY]
        with output_folder(Path(out)) as folder:
            self.report(folder / names[0])
            text = self.document()
            (folder / names[1]).write_text(to_json(text), encoding="utf-8")
            brief = {"watchband": text["watchband"], "format": text["format"], "files": names}
            (folder / SUMMARY).write_text(to_json(brief | text["counts"]), encoding="utf-8")
        return names

    def __repr__(self) -> str:
        return f"Profiles({len(self.series)} series; {self.headline})"
