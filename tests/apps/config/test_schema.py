"""The JSON Schema takes what the reader takes, and refuses what it refuses, where a schema can say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from watchband.apps.config.config import ConfigProblems, read_config
from watchband.apps.config.schema import document, settings_named, table

SCHEMA = document()
JUDGE: Any = jsonschema.Draft202012Validator(SCHEMA)

GOOD = (
    "",
    "# nothing yet",
    "sources:\nwatches:\nsinks:\nengine:\nserver:\nstore:\nrelabel:\nexpressions:\n",
    "sources: {push: , remote_write: {lateness: 0}, more: {kind: push, lateness: 5s, relabel: [{target_label: a}]}}",
    "sources: {prom: {kind: prometheus, url: 'http://h:1', queries: {cpu: up}, headers: {X-Scope: a}}}",
    "sources: {prom: {kind: prometheus, url: '${URL}', queries: {cpu: up}, bearer_token_file: /run/t}}",
    "sources: {push: {kind: prometheus, url: 'http://h:1', queries: {cpu: up}, bearer_token: '${TOKEN}'}}",
    "watches: {a: {}, b: {match: [cpu, mem], m_of_n: 3/5, exclude: [], holidays: DE-BY, min_count: 5}}",
    "watches: {a: {match: '*', budget: 2/day, route: [], priority: 5, weight: 2.5, no_data: false}}",
    "watches: {a: {consecutive: '${COUNT}', cutoff: 4}}",
    "relabel: [{action: hashmod, source_labels: pod, target_label: shard, modulus: 8}]",
    "expressions: {ratio: errors / requests}",
    "store: {path: /var/lib/watchband, retention: {raw: 30d}}",
    "store: {kind: memory}",
    "server: {listen: '0.0.0.0:80', tokens: {ci: {token_file: /run/t, role: admin}}}",
    "engine: {max_series: 1_000, max_memory: 2GiB, idle: 2w, drain: 0}",
)
BAD = (
    "5",
    "surces: {}",
    "sources: [push]",
    "sources: {a: {kind: none}}",
    "sources: {a: {}}",
    "sources: {push: {late: 5s}}",
    "sources: {push: {lateness: [5s]}}",
    "sources: {'-a': {kind: push}}",
    "sources: {prom: {kind: prometheus, url: 'http://h:1'}}",
    "sources: {prom: {kind: prometheus, url: 'ftp://h', queries: {cpu: up}}}",
    "sources: {prom: {kind: prometheus, url: 'http://h:1', queries: {'c p u': up}}}",
    "sources: {prom: {kind: prometheus, url: 'http://h:1', queries: {a: up}, password: a, password_file: b}}",
    "watches: {a: {detectr: auto}}",
    "watches: {a: {direction: up}}",
    "watches: {a: {consecutive: 0}}",
    "watches: {a: {consecutive: 2.5}}",
    "watches: {a: {match: []}}",
    "watches: {a: {match: {cpu: 5}}}",
    "watches: {a: {no_data: maybe}}",
    "watches: {a: {weight: 0}}",
    "relabel: {action: drop}",
    "relabel: [{action: delete}]",
    "expressions: {ratio: [errors, requests]}",
    "store: {kind: floppy}",
    "store: {retention: {row: 30d}}",
    "server: {listen: here}",
    "server: {tokens: {ci: {role: admin}}}",
    "server: {tokens: {ci: {token: a, role: king}}}",
    "engine: {max_memory: lots}",
    "engine: {idle: 5 apples}",
)


def plain(text: str) -> Any:
    """As an editor reads it: without the environment."""
    return yaml.safe_load(text)


def read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(text)
    read_config(path, {"URL": "http://h:1", "COUNT": "3", "TOKEN": "t"})


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read_fits(text: str, tmp_path: Path) -> None:
    read(tmp_path, text)
    assert [error.message for error in JUDGE.iter_errors(plain(text))] == []


@pytest.mark.parametrize("text", BAD)
def test_what_is_refused_does_not_fit(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems):
        read(tmp_path, text)
    assert not JUDGE.is_valid(plain(text))


def test_every_key_is_described() -> None:
    for name, found in SCHEMA["$defs"].items():
        for key, value in found.get("properties", {}).items():
            assert key in ("kind", "relabel") or value["description"], f"{name}.{key}"


def test_the_table_of_a_section() -> None:
    said = table(settings_named("engine"))
    assert "| `max_memory` | `4GB` | a size such as 512MB or 4GiB of at least 50MB |" in said
    assert "| `url` | required | an address" in table(settings_named("source_prometheus"))
    assert "| `bearer_token`, `bearer_token_file` |  | a secret" in table(settings_named("source_prometheus"))
