"""No configuration whatsoever does anything but be read or be refused with a place."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from watchband.apps.config.config import SECTIONS, ConfigProblems, hash_of, plain, read_text
from watchband.apps.config.diff import differences
from watchband.apps.config.kinds import SINKS, SOURCES, STORES
from watchband.apps.config.schema import settings_named
from watchband.core.params import params_of

NAMED = ["watch", "server", "relabel", "engine"]
NAMED += [f"source_{kind}" for kind in SOURCES.names()]
NAMED += [f"sink_{kind}" for kind in SINKS.names()]
NAMED += [f"store_{kind}" for kind in STORES.names()]
KEYS = sorted({"kind", "token", "token_file", "raw"} | {key for n in NAMED for key in params_of(settings_named(n))})
WORDS = """auto|1/week|5m|0|*|cpu{a=~"x"}|http://h:1/x|prometheus|push|memory|keep|(((|0:100|3/5|UTC|a / b|4GB|${X}
127.0.0.1:1|2026-01-01/2026-01-02|ewma:half_life=3""".replace("\n", "|").split("|")
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.just(10**30),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=6),
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*KEYS, "x", "a b"]), inner, max_size=4)
    ),
    max_leaves=6,
)
ENTRY = st.dictionaries(st.sampled_from(KEYS), VALUE, max_size=4)
KINDS = st.sampled_from([*SOURCES.names(), *SINKS.names(), *STORES.names()])
DOCUMENT = st.dictionaries(
    st.sampled_from([*SECTIONS, "watch"]),
    st.one_of(
        VALUE,
        st.dictionaries(st.one_of(st.sampled_from(["a", "b"]), KINDS, st.text(max_size=3)), ENTRY, max_size=3),
        st.builds(lambda kind, entry: {"n": {"kind": kind, **entry}}, KINDS, ENTRY),
        st.lists(ENTRY, max_size=2),
        ENTRY,
    ),
    max_size=4,
)


@pytest.fixture(scope="module", autouse=True)
def _no_plugins() -> Iterator[None]:
    """Asking all installed packages for theirs, at every mistake, would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("watchband.core.registry.entry_points", lambda group: ())
        yield


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENT)
@example({"watches": {"a": {"match": "[[:alpha:"}}})
@example({"watches": {"a": {"range": "nan:inf"}}})
@example({"watches": {"a": {"gap": "fixed:nan"}}})
@example({"watches": {"a": {"resample": "9" * 30 + "y"}}})
@example({"watches": {"a": {"interval": "0s", "timezone": "../etc/passwd"}}})
@example({"watches": {"a": {"sigma": "1e999"}}})
@example({"watches": {"a": {"detector": "rolling_zscore:window=" + "9" * 5000}}})
@example({"watches": {"a": {"m_of_n": "9" * 30 + "/2"}}})
@example({"relabel": [{"action": "drop", "regex": "(" * 2000}]})
@example({"expressions": {"a": "(" * 5000}})
def test_a_configuration_is_read_or_refused(document: Any) -> None:
    text = yaml.safe_dump(document, allow_unicode=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = read_text(text, "w.yaml", {"X": "s3cret-value"})
    except ConfigProblems as error:
        refused: ConfigProblems | None = error
    else:
        refused = None
    if refused is not None:
        assert refused.problems
        assert all(problem.place.line >= 1 for problem in refused.problems)
        assert "s3cret-value" not in str(refused)
        return
    assert found.hash == hash_of(found)
    assert differences(found, found) == []
    for section in SECTIONS:
        json.dumps(plain(getattr(found, section)))
