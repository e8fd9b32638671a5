"""Two configurations side by side: what goes on, what begins anew and why."""

from __future__ import annotations

from typing import Any

import pytest

from watchband.apps.config.config import Config, read_text
from watchband.apps.config.diff import Change, differences, document

OLD = """\
sources:
  push: {}
  prom: {kind: prometheus, url: 'http://h:1', queries: {cpu: up}, bearer_token: '${TOKEN}'}
expressions: {ratio: errors / requests}
watches:
  web: {match: cpu, detector: ewma, budget: 1/week, consecutive: 1}
  db: {match: mem, detector: ewma}
"""


def read(text: str, token: str = "t") -> Config:
    return read_text(text, "w.yaml", {"TOKEN": token})


def changed(old: str, new: str) -> list[Change]:
    text = OLD.replace(old, new)
    assert text != OLD
    return differences(read(OLD), read(text))


def test_no_difference_whatever_the_spelling() -> None:
    other = OLD.replace("match: cpu", "match: [cpu]").replace("budget: 1/week", "budget:   '1/week'")
    assert differences(read(OLD), read(other)) == []


@pytest.mark.parametrize(
    ("old", "new", "state", "because"),
    [
        ("budget: 1/week", "budget: 1/day", "kept", ()),
        ("budget: 1/week", "priority: 5, weight: 2", "kept", ()),
        ("budget: 1/week", "route: []", "kept", ()),
        ("detector: ewma, b", "detector: light, b", "anew", ("detector",)),
        ("match: cpu", "match: cpu2", "anew", ("match",)),
        ("match: cpu", "exclude: 2026-01-01/2026-01-02, match: cpu", "anew", ("exclude",)),
        ("match: cpu", "counter: true, match: cpu, priority: 3", "anew", ("counter",)),
        ("consecutive: 1", "m_of_n: 2/3", "anew", ("m_of_n",)),
    ],
)
def test_what_becomes_of_a_watch(old: str, new: str, state: str, because: tuple[str, ...]) -> None:
    (change,) = changed(old, new)
    assert (change.section, change.name, change.what) == ("watches", "web", "changed")
    assert (change.state, change.because) == (state, because)


def test_the_verdict_on_a_state_is_that_of_the_fingerprint() -> None:
    for new in (
        "consecutive: 2",
        "close_after: 3",
        "gap: zero",
        "interval: 5m",
        "timezone: Europe/Rome",
        "cool_down: 5",
    ):
        (change,) = changed("consecutive: 1", new)
        other = read(OLD.replace("consecutive: 1", new))
        same = read(OLD).fingerprints()["web"] == other.fingerprints()["web"]
        assert (change.state == "kept") == same, new
        assert bool(change.because) != same


def test_watches_come_and_go() -> None:
    found = {c.name: (c.what, c.state) for c in changed("  db:", "  other:")}
    assert found == {"other": ("new", "anew"), "db": ("gone", "dropped")}


@pytest.mark.parametrize(
    ("old", "new", "section", "name", "said"),
    [
        ("push: {}", "push: {lateness: 5s}", "sources", "push", "opened anew"),
        ("push: {}", "push: {relabel: [{action: drop, regex: a}]}", "sources", "push", "not interrupted"),
        ("push: {}\n", "", "sources", "push", "Nothing comes from it"),
        ("push: {}", "push: {}\n  more: {kind: remote_write}", "sources", "more", "from the beginning"),
        ("errors /", "faults /", "expressions", "ratio", "go on with other values"),
        ("sources:\n", "relabel: [{action: drop, regex: a}]\nsources:\n", "relabel", "", "new names"),
        ("sources:\n", "engine: {tick: 2s}\nsources:\n", "engine", "", "restart"),
        ("sources:\n", "store: {kind: memory}\nsources:\n", "store", "", "restart"),
    ],
)
def test_everything_else(old: str, new: str, section: str, name: str, said: str) -> None:
    (change,) = changed(old, new)
    assert (change.section, change.name) == (section, name)
    assert said in change.effect


def test_another_secret_is_a_difference_that_shows_nothing() -> None:
    (change,) = differences(read(OLD), read(OLD, token="hunter2"))
    assert [key.key for key in change.keys] == ["bearer_token"]
    said: dict[str, Any] = document(read(OLD), read(OLD, token="hunter2"))
    assert "hunter2" not in repr(said) + repr(change)
    assert said["changes"][0]["keys"]["bearer_token"] == {"old": "Secret((secret))", "new": "Secret((secret))"}
