"""One run from input to findings, and to a folder if one is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from watchband.apps.library.detection import Collector, Detection, Findings
from watchband.apps.library.engine import Consumer, Outcome, run
from watchband.apps.library.feeds import Feed
from watchband.apps.library.gather import Gatherer
from watchband.apps.library.options import Options
from watchband.apps.library.outputs.documents import alert_document, summary_document, write_json
from watchband.apps.library.outputs.folder import SUMMARY, check_target, list_files, output_folder
from watchband.apps.library.outputs.pictures import draw
from watchband.apps.library.outputs.scores import ScoresWriter
from watchband.apps.library.outputs.top import TOP, TopPoints


def execute(
    feed: Feed,
    options: Options,
    *,
    keep_rows: bool = False,
    out: str | Path | None = None,
    with_imputed: bool = False,
    command: str = "",
) -> Findings:
    """Run ``feed`` through the watch of ``options``.

    Parameters
    ----------
    feed : Feed
        The readings.
    options : Options
        What judges, and how.
    keep_rows : bool, default False
        Keep every row and return a ``Detection``; otherwise memory stays bounded.
    out : path, optional
        Folder for scores, alerts, plots and report.
    with_imputed : bool, default False
        Rows also for points that no reading stands behind.
    command : str, optional
        The command line, for the report.

    Raises
    ------
    ConfigError
        Options that cannot be, or an ``out`` that holds what Watchband did not write.
    """
    watch, excluded = options.watch(), options.excluded()
    if out is not None:
        check_target(Path(out))
    gatherer, collector = Gatherer(), Collector()
    consumers: list[Consumer] = [gatherer, *([collector] if keep_rows else [])]

    def fold(extra: Sequence[Consumer] = ()) -> Outcome:
        return run(
            watch,
            feed.batches(),
            excluded=excluded,
            consumers=[*consumers, *extra],
            with_imputed=with_imputed,
        )

    def findings(outcome: Outcome) -> Findings:
        told = (outcome, gatherer, options.settings(), feed)
        return (
            Detection(*told, command=command, rows=collector.rows()) if keep_rows else Findings(*told, command=command)
        )

    if out is None:
        return findings(fold())
    return _into_folder(Path(out), fold, findings)


def _into_folder(
    out: Path, fold: Callable[[Sequence[Consumer]], Outcome], findings: Callable[[Outcome], Findings]
) -> Findings:
    with output_folder(out) as folder:
        top = TopPoints()
        with ScoresWriter(folder) as scores:
            found = findings(fold([scores, top]))
        top.write(folder / f"top_{TOP}_anomalies.csv")
        write_json({"alerts": [alert_document(a) for a in found.alerts]}, folder / "alerts.json")
        draw(found, folder)
        written = [*list_files(folder), SUMMARY]
        write_json({**summary_document(found), "files": sorted(written)}, folder / SUMMARY)
    found.out, found.files = out, sorted(written)
    return found
