"""The whole configuration: every section, every mistake at its place, a hash of what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchband.adapters.sources.push.settings import PushSettings
from watchband.apps.config.config import Config, ConfigProblems, plain, read_config, read_text

TEXT = """\
sources:
  push: {lateness: 5s}
relabel:
  - {source_labels: [pod], regex: '(.*)-[a-z0-9]+', target_label: workload}
expressions:
  error_ratio: errors / requests
watches:
  web: {match: 'cpu{env="prod"}', budget: 1/week}
store: {path: data, retention: {raw: 60d}}
server: {listen: '0.0.0.0:8470', tokens: {ci: {token: '${TOKEN}', role: admin}}}
engine: {max_memory: 2GiB}
"""


def read(path: Path, text: str = TEXT) -> Config:
    path.write_text(text)
    return read_config(path, {"TOKEN": "hunter2"})


def test_every_section_is_read(tmp_path: Path) -> None:
    found = read(tmp_path / "w.yaml")
    assert found.sources["push"].pushed
    assert [rule.target_label for rule in found.relabel] == ["workload"]
    assert list(found.watches) == list(found.fingerprints()) == ["web"]
    assert (found.engine.max_memory, found.server.address, found.server.loopback) == (2 << 30, ("0.0.0.0", 8470), False)
    assert vars(found.store)["path"] == str(tmp_path / "data")
    assert found.server.tokens["ci"].token.reveal() == "hunter2"
    assert "hunter2" not in repr(found) + repr(plain(found.server))


def test_every_mistake_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = TEXT.replace("lateness", "latenes").replace("60d", "sixty").replace("budget", "route: [chat], budget")
    with pytest.raises(ConfigProblems) as caught:
        read(tmp_path / "w.yaml", text)
    places = [(p.place.line, p.place.column) for p in caught.value.problems]
    assert places == [(2, 10), (8, 43), (9, 38)]
    assert "Did you mean 'lateness'?" in str(caught.value)


def test_the_hash_is_of_what_is_said(tmp_path: Path) -> None:
    first = read(tmp_path / "w.yaml")
    assert read(tmp_path / "w.yaml", "# a comment\n" + TEXT.replace("5s", "5000ms")) == first
    assert read(tmp_path / "w.yaml", TEXT.replace("5s", "6s")).hash != first.hash


def test_a_package_adds_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point of the group; what is no class of settings is refused with its name."""

    class Point:
        def __init__(self, name: str, value: object) -> None:
            self.name, self.value, self.dist = name, value, None

        def load(self) -> object:
            return self.value

    points = {"watchband.sources": [Point("own", PushSettings), Point("odd", int)]}
    monkeypatch.setattr("watchband.core.registry.entry_points", lambda group: points.get(group, []))
    found = read_text("sources: {own: {lateness: 5s}, more: {kind: own}}", "w.yaml", {})
    assert [type(named.settings) for named in found.sources.values()] == [PushSettings, PushSettings]
    with pytest.raises(ConfigProblems, match="'odd' is <class 'int'>, not a dataclass of settings"):
        read_text("sources: {a: {kind: odd}}", "w.yaml", {})
    with pytest.raises(ConfigProblems, match="Did you mean 'own'"):
        read_text("sources: {a: {kind: owen}}", "w.yaml", {})
