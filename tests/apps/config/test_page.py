"""Every YAML example of the pages is a configuration, and fits the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.champions import champion
from tests.risk_models import by_hand
from watchband.analysis.risk.artifact import save
from watchband.apps.config.config import SECTIONS, read_text
from watchband.apps.config.schema import document
from watchband.core.relabel import relabelled
from watchband.core.series import SeriesKey

ROOT = Path(__file__).resolve().parents[3]
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
JUDGE: Any = jsonschema.Draft202012Validator(document())


class Anything(Mapping[str, str]):
    """An environment that has every variable."""

    def __getitem__(self, name: str) -> str:
        return "https://example.com/x"

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def examples() -> list[Any]:
    found = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for number, text in enumerate(FENCE.findall(page.read_text())):
            parsed = yaml.safe_load(text)
            if isinstance(parsed, dict) and parsed and set(parsed) <= set(SECTIONS):
                found.append(pytest.param(text, id=f"{page.relative_to(ROOT / 'docs')}[{number}]"))
    return found


@pytest.mark.parametrize("text", examples())
def test_an_example_is_read_and_fits_the_schema(text: str, tmp_path: Path) -> None:
    save(by_hand(), tmp_path / "risk.json")
    if "models/cpu" in text:
        champion(tmp_path / "models" / "cpu")
    config = read_text(text, "example.yaml", Anything(), base=str(tmp_path))
    assert config.fingerprints().keys() == config.watches.keys()
    assert [error.message for error in JUDGE.iter_errors(yaml.safe_load(text))] == []


def test_the_recipe_of_pods_finds_their_workload() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    text = next(block for block in FENCE.findall(page) if "target_label: workload" in block)
    rules = read_text(text, "example.yaml").relabel[:2]
    pods = {
        "api-7d9f8b6c5-x2k4q": "api",  # of a deployment
        "my-web-app-5f6d7c8b9-w9xkz": "my-web-app",
        "postgres-0": "postgres",  # of a stateful set
        "node-exporter-x2k4q": "node-exporter",  # of a daemon set
        "backup-28391040-p9qkz": "backup",  # of a cron job
    }
    for pod, workload in pods.items():
        found = relabelled(SeriesKey("cpu", {"pod": pod, "namespace": "shop"}), rules)
        assert str(found) == f'cpu{{namespace="shop",workload="{workload}"}}'
