"""Answers and refusals of servers, as they are written by them, and what they become."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.sources.prometheus.answer import Answer, read_answer
from watchband.adapters.sources.prometheus.failure import (
    BusyError,
    DeniedError,
    StumbledError,
    TooMuchError,
    failure,
)
from watchband.core.errors import AdapterError, PermanentError, TransientError

FIRST, LAST = 1_000 * 10**9, 2_000 * 10**9


def body(*result: object, **more: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}, **more}).encode()


def read(*result: object, keep_names: bool = False, **more: object) -> Answer:
    return read_answer(body(*result, **more), "cpu", keep_names, FIRST, LAST)


def test_values_that_are_no_numbers_are_read_as_what_they_mean() -> None:
    pairs = [[1000, "1.5"], [1060.5, "NaN"], [1120, "+Inf"], [1180, "-Inf"], [1240, 3]]
    found = read({"metric": {"host": "a"}, "values": pairs}).readings[0]
    assert found.times.tolist() == [t * 10**6 for t in (1_000_000, 1_060_500, 1_120_000, 1_180_000, 1_240_000)]
    assert found.values.tobytes() == np.array([1.5, np.nan, np.inf, -np.inf, 3]).tobytes()


def test_times_are_exact_to_the_millisecond() -> None:
    seconds = [1_769_904_000.001 + k for k in range(3)]
    answer = read_answer(body({"metric": {}, "values": [[t, "1"] for t in seconds]}), "cpu", False, 0, 2**62)
    assert answer.readings[0].times.tolist() == [(1_769_904_000_001 + 1000 * k) * 10**6 for k in range(3)]


def test_what_lies_outside_the_question_is_left_out() -> None:
    found = read({"metric": {}, "values": [[999, "1"], [1000, "2"], [2000, "3"], [2001, "4"]]})
    assert found.readings[0].values.tolist() == [2, 3]
    assert read({"metric": {}, "values": [[5, "1"]]}).readings == []


def test_series_are_named_after_the_query_unless_their_own_name_is_kept() -> None:
    series = {"metric": {"__name__": "up", "job": "x"}, "values": [[1000, "1"]]}
    assert str(read(series).readings[0].key) == 'cpu{job="x"}'
    assert str(read(series, keep_names=True).readings[0].key) == 'up{job="x"}'
    del series["metric"]["__name__"]  # type: ignore[attr-defined]
    assert str(read(series, keep_names=True).readings[0].key) == 'cpu{job="x"}'


def test_series_that_fall_together_are_refused() -> None:
    two = [{"metric": {"__name__": name, "job": "x"}, "values": [[1000, "1"]]} for name in ("up", "down")]
    with pytest.raises(PermanentError, match=r'both cpu\{job="x"\} once .*: up and down\. Set keep_names: true'):
        read(*two)
    assert len(read(*two, keep_names=True).readings) == 2


def test_native_histograms_are_refused_and_the_rest_is_taken() -> None:
    found = read(
        {"metric": {"host": "a"}, "histograms": [[1000, {"count": "3", "sum": "1"}]]},
        {"metric": {"host": "b"}, "values": [[1000, "1"]], "histograms": [[1060, {"count": "3"}]]},
    )
    assert (found.points, found.refused) == (1, 2)
    assert found.warnings == [
        "2 series of query 'cpu' hold native histograms, which are not read. Ask for a number of them: "
        "histogram_quantile(0.99, …), histogram_avg(…) or histogram_count(…)."
    ]


BAD_SERIES = {
    "no labels": {"values": [[1000, "1"]]},
    "labels as a list": {"metric": ["a"], "values": [[1000, "1"]]},
    "a label that cannot be printed": {"metric": {"a b": "c"}, "values": [[1000, "1"]]},
    "a value that is none": {"metric": {"x": "1"}, "values": [[1000, "one"]]},
    "a value that is null": {"metric": {"x": "1"}, "values": [[1000, None]]},
    "a time that is none": {"metric": {"x": "1"}, "values": [["NaN", "1"]]},
    "a time far away": {"metric": {"x": "1"}, "values": [[1e300, "1"]]},
    "times that go back": {"metric": {"x": "1"}, "values": [[1001, "1"], [1000, "1"]]},
    "a time twice": {"metric": {"x": "1"}, "values": [[1000, "1"], [1000, "1"]]},
    "no pairs": {"metric": {"x": "1"}, "values": [1000, "1"]},
    "text": "series",
    "a number": 7,
}


@pytest.mark.parametrize("what", BAD_SERIES)
def test_a_bad_series_is_left_out_and_told(what: str) -> None:
    found = read(BAD_SERIES[what], {"metric": {"host": "a"}, "values": [[1000, "1"]]})
    assert [str(r.key) for r in found.readings] == ['cpu{host="a"}']
    assert found.refused == 1
    assert "left out" in found.warnings[0]


def test_remarks_of_the_server_are_kept() -> None:
    found = read(warnings=["no block for a part"], infos=["metric might not be a counter"], isPartial=True)
    assert found.warnings == ["no block for a part", "metric might not be a counter"]
    assert found.partial


BAD_BODIES = {
    b"<html>Please log in</html>": (TransientError, "is no JSON"),
    b'{"status": "success", "data": {"resultType"': (TransientError, "cut short"),
    b"\xff\xfe": (TransientError, "is no JSON"),
    b"": (TransientError, "0 bytes is no JSON"),
    b"[" * 100_000: (PermanentError, "nested too deeply"),
    b"[]": (PermanentError, "expected a mapping, got list"),
    b"{}": (PermanentError, "no answer of a Prometheus API"),
    b'{"status": "success", "data": {"resultType": "vector", "result": []}}': (PermanentError, "type 'vector'"),
    b'{"status": "success", "data": [1]}': (PermanentError, "no answer of a Prometheus API"),
    b'{"status": "error", "data": {"resultType": "matrix", "result": []}}': (PermanentError, "status 'error'"),
}


@pytest.mark.parametrize("text", BAD_BODIES)
def test_what_is_no_answer_is_said_so(text: bytes) -> None:
    error, words = BAD_BODIES[text]
    with pytest.raises(error, match=words):
        read_answer(text, "cpu", False, FIRST, LAST)


documents = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["success", "matrix", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "data", "resultType", "result", "metric", "values", "warnings"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(documents, st.lists(documents, max_size=3))
def test_any_document_is_read_or_refused(document: object, result: list[object]) -> None:
    for text in (json.dumps(document).encode(), body(*result), body({"metric": {}, "values": result})):
        try:
            read_answer(text, "cpu", False, FIRST, LAST)
        except AdapterError:
            continue


def refusal(status: int, kind: str, words: str) -> AdapterError:
    return failure(status, json.dumps({"status": "error", "errorType": kind, "error": words}).encode())


REFUSALS = [
    (400, "bad_data", '1:7: parse error: unexpected "}"', PermanentError),
    (400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing", TooMuchError),
    (422, "execution", "query processing would load too many samples into memory in query execution", TooMuchError),
    (503, "timeout", "query timed out in expression evaluation", TooMuchError),
    (422, "execution", "found duplicate series for the match group {} on the right hand-side", StumbledError),
    (422, "422", "the number of matching timeseries exceeds 300000; either narrow down the search", TooMuchError),
    (422, "422", "cannot select more than -search.maxSamplesPerQuery=1000 samples", TooMuchError),
    (422, "execution", "the query time range exceeds the limit (query length: 800h, limit: 721h)", TooMuchError),
    (
        422,
        "422",
        'error when executing query="sum(load": argList: unexpected token ""; unparsed data: ""',
        PermanentError,
    ),
    (500, "internal", "exceeded series limit", TooMuchError),
    (500, "internal", "open block: no such file", TransientError),
    (502, "", "<html><h1>Bad Gateway</h1></html>", TransientError),
    (504, "", "upstream", TooMuchError),
    (413, "", "request entity too large", TooMuchError),
    (429, "", "slow down", BusyError),
    (503, "unavailable", "Service Unavailable", BusyError),
    (401, "", "no", DeniedError),
    (403, "", "no", DeniedError),
    (404, "", "404 page not found", DeniedError),
]


@pytest.mark.parametrize(("status", "kind", "words", "error"), REFUSALS)
def test_a_refusal_says_what_to_do_and_keeps_the_words(
    status: int, kind: str, words: str, error: type[AdapterError]
) -> None:
    found = refusal(status, kind, words)
    assert type(found) is error
    assert words.removeprefix("<html><h1>").removesuffix("</h1></html>")[:200] in str(found)
    assert str(status) in str(found)


def test_refusals_of_programs_between_are_stripped_of_markup() -> None:
    found = failure(502, b"<html>\n<head><title>502 Bad Gateway</title></head></html>" + b"x" * 10_000)
    assert str(found).startswith("The server failed (502): 502 Bad Gateway xxx")
    assert len(str(found)) < 400
    assert str(failure(500, b"")) == "The server failed (500): no words"
