"""A training as plain data: what ``--json`` prints and what the card keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from watchband.analysis.training.outcome import Finalist, Trained
from watchband.analysis.tuning.material import Part
from watchband.analysis.tuning.stratified import Leaked
from watchband.apps.library.moments import iso
from watchband.apps.library.training.schema import data_schema
from watchband.apps.library.training.tables import mistake_row, number
from watchband.apps.library.tuning.documents import interval
from watchband.evaluation.metrics.point import Confusion

if TYPE_CHECKING:
    from watchband.apps.library.training.training import Training

FORMAT = 1
MISTAKES_MAX = 20
"""That the document names; ``mistakes.csv`` has more."""


def training_document(training: Training) -> dict[str, Any]:
    """Everything that is shown, without what is only in files."""
    from watchband import __version__

    head = {"watchband": __version__, "format": FORMAT, "title": training.title, "sentences": training.sentences}
    if isinstance(training.result, Leaked):
        from watchband.apps.library.tuning.documents import leaked_rows

        return {**head, "kind": "leak", **leaked_rows(training.result), "notes": training.notes}
    return {
        **head,
        "kind": "training",
        "champion": champion_document(training),
        "data": data_schema(training.original, training.options.join or ()),
        "selection": selection_document(training.trained),
        "rows": training.rows,
        "mistakes": mistakes_document(training.trained),
        "latency": training.latency,
        "notes": training.notes,
    }


def champion_document(training: Training) -> dict[str, Any]:
    """The configuration and what it is made of."""
    found = training.trained.champion
    detector: Any = found.configuration.build(training.setting.shared)
    if found.fitted is not None:
        detector = found.fitted.configuration.build(training.setting.shared)
    said: dict[str, Any] = {
        "name": detector.name,
        "state_version": detector.state_version,
        "state_bytes_per_series": found.bytes,
    }
    if found.fitted is not None:
        said |= {"names": list(found.fitted.names), "fitted_rows": found.fitted.rows, "checksum": found.fitted.checksum}
        if found.fitted.weights:
            said["weights"] = dict(found.fitted.weights)
    return {
        "text": found.configuration.text,
        "flags": found.configuration.flags,
        "configuration": found.configuration.document(),
        "detector": said,
    }


def selection_document(trained: Trained) -> dict[str, Any]:
    """How it was chosen."""
    cuts = sorted({(c.train, c.parts.validation, c.parts.test) for c in trained.cuts}, key=lambda c: c[0].start)
    return {
        "objective": trained.objective,
        "objective_text": trained.objective_text,
        "rule": trained.rule,
        "configurations_tried": trained.tried,
        "trials": len(trained.attempts),
        "seed": trained.seed,
        "labels": "faults that were put in" if trained.injected else "given",
        "events": {"validation": trained.events[0], "test": trained.events[1]},
        "weeks": {"validation": number(trained.weeks[0]), "test": number(trained.weeks[1])},
        "parts": [{"train": _part(a), "validation": _part(b), "test": _part(c)} for a, b, c in cuts[:100]],
    }


def _part(part: Part) -> dict[str, str]:
    # The last part ends a nanosecond behind the last reading.
    return {"from": iso(part.start), "to": iso(part.stop - part.stop % 1000)}


def row_document(row: Finalist, trained: Trained) -> dict[str, Any]:
    """A finalist or baseline."""
    against = trained.against.get(row.label)
    return {
        "label": row.label,
        "role": row.role,
        "flags": row.configuration.flags,
        "configuration": row.configuration.document(),
        "validation": _figures(row.validation, row.confusion[0]),
        "test": _figures(row.test, row.confusion[1]),
        "gap": interval(row.gap),
        "champion_minus_this_on_test": None if against is None else interval(against),
        "state_bytes_per_series": row.bytes,
    }


def _figures(found: Mapping[str, Any], counts: Confusion) -> dict[str, Any]:
    figures: dict[str, Any] = {name: interval(one) for name, one in found.items()}
    return figures | {"confusion": {name: getattr(counts, name) for name in ("tn", "fp", "fn", "tp")}}


def mistakes_document(trained: Trained) -> dict[str, Any]:
    """How many of each kind, and the first ones."""
    kinds = [one.kind for one in trained.mistakes]
    return {
        "false_negatives": kinds.count("missed"),
        "false_positives": kinds.count("false"),
        "first": [mistake_row(one) for one in trained.mistakes[:MISTAKES_MAX]],
    }
