"""The files of ``--out``: JSON, CSV, pictures, the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from watchband.apps.library.outputs.documents import to_json
from watchband.apps.library.plot import THEMES
from watchband.apps.library.robustness.document import to_csv, to_document
from watchband.apps.library.robustness.maps import by_kind_and_fault, overview
from watchband.apps.library.robustness.page import write_page
from watchband.apps.library.robustness.picture import write_map
from watchband.apps.library.robustness.work import Job
from watchband.evaluation.robustness.cells import every_cell
from watchband.evaluation.robustness.run import Outcome

TITLE = "Event F1 of detectors, one condition changed at a time"


def write_all(job: Job, outcomes: Sequence[Outcome], folder: Path) -> list[Path]:
    """Write everything and give the paths, what people open first at the front."""
    folder.mkdir(parents=True, exist_ok=True)
    page = write_page(job, outcomes, folder / "robustness.html")
    document, table = folder / "robustness.json", folder / "cells.csv"
    document.write_text(to_json(to_document(job, outcomes)), encoding="utf-8")
    table.write_text(to_csv(every_cell(outcomes)), encoding="utf-8")
    pictures = []
    grids = overview(outcomes)
    for theme in THEMES:
        end = "" if theme == "light" else f"-{theme}"
        if grids:
            lines = [g for g in (grids[:-2], *([g] for g in grids[-2:])) if g]
            pictures.append(write_map(lines, folder / f"overview{end}.png", TITLE, theme=theme))
        for name in dict.fromkeys(o.detector for o in outcomes):
            grid = by_kind_and_fault(outcomes, name)
            if grid.cells:
                plain = re.sub(r"[^\w.-]+", "_", name)
                title = f"Event F1 of {name} by kind of metric and fault"
                pictures.append(write_map([[grid]], folder / f"heatmap-{plain}{end}.png", title, theme=theme))
    return [page, document, table, *pictures]
