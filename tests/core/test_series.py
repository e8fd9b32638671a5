"""Series keys: one canonical text form, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey

label_names = st.text(st.characters(blacklist_characters=' \t\r\n={},"\\', blacklist_categories=("Z", "C")), min_size=1)
keys = st.builds(SeriesKey, st.text(min_size=1), st.dictionaries(label_names, st.text(), max_size=4))


@given(keys)
def test_print_and_parse_round_trip(key: SeriesKey) -> None:
    again = SeriesKey.parse(str(key))
    assert again == key
    assert again.labels == key.labels
    assert again.fingerprint == key.fingerprint
    assert hash(again) == hash(key)


@given(keys, keys)
def test_different_keys_print_differently(one: SeriesKey, two: SeriesKey) -> None:
    assert (one == two) == (str(one) == str(two))


def test_labels_are_sorted_and_empty_ones_dropped() -> None:
    key = SeriesKey("cpu", {"zone": "a", "host": "web-1", "rack": ""})
    assert str(key) == 'cpu{host="web-1",zone="a"}'
    assert key == SeriesKey("cpu", {"host": "web-1", "zone": "a"})


def test_entity_is_the_key_without_the_metric() -> None:
    cpu, memory = SeriesKey("cpu", {"host": "a"}), SeriesKey("memory", {"host": "a"})
    assert cpu.entity == memory.entity
    assert cpu.entity != SeriesKey("cpu", {"host": "b"}).entity


def test_fingerprint_is_the_same_in_every_release() -> None:
    assert SeriesKey("cpu", {"host": "web-1"}).fingerprint == "969686274cac218d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a metric name"),
        ('cpu{host="a"', "never closes it"),
        ("cpu{host=a}", 'expected label="value"'),
        ('cpu{host="a" zone="b"}', 'expected label="value"'),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SeriesKey.parse(text)


def test_label_names_that_cannot_be_printed_are_refused() -> None:
    with pytest.raises(ConfigError, match="Rename it"):
        SeriesKey("cpu", {"a b": "x"})
