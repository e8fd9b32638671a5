"""The model as a file: every bit comes back, and what cannot be trusted is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.risk.conftest import HOSTS
from watchband.analysis.risk.artifact import checksum, from_document, load, save, to_document
from watchband.analysis.risk.fit import Fitted
from watchband.analysis.risk.rows import Rows
from watchband.core.errors import ConfigError, StateCorruptError, StateVersionError


def test_a_model_labels_the_same_bits_after_reading(rows: Rows, fitted: Fitted, tmp_path: Path) -> None:
    save(fitted.labeller, tmp_path / "risk.json")
    again = load(tmp_path / "risk.json")
    one, two = (found.label(rows, found.known(HOSTS)) for found in (fitted.labeller, again))
    for name in ("state", "load", "excess", "anomaly", "probability"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes(), name
    assert again.profile == json.loads(json.dumps(fitted.labeller.profile))
    assert (tmp_path / "risk.json").stat().st_size < 20_000
    assert not list(tmp_path.glob("risk.json?*"))


def test_a_changed_number_is_noticed(fitted: Fitted) -> None:
    document = json.loads(json.dumps(to_document(fitted.labeller)))
    document["body"]["deviation"] = 1000.0
    with pytest.raises(StateCorruptError, match="checksum does not match"):
        from_document(document)


def test_what_is_no_model_is_refused(fitted: Fitted, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "absent.json")
    for text, why in (
        ("{", "no JSON"),
        ("[]", "does not say"),
        ('{"format": "watchband-risk", "schema": 9}', "schema"),
    ):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises((StateCorruptError, StateVersionError), match=why):
            load(tmp_path / "bad.json")


def test_sizes_that_do_not_fit_are_refused_though_the_checksum_holds(fitted: Fitted) -> None:
    for name, forged in (
        ("states", [0]),
        ("outlook", [0.5]),
        ("scale", {"centre": [1], "spread": [1]}),
        ("features", []),
    ):
        document = json.loads(json.dumps(to_document(fitted.labeller)))
        document["body"][name] = forged
        document["checksum"] = checksum(document["body"])
        with pytest.raises(StateCorruptError, match="makes no sense"):
            from_document(document)
