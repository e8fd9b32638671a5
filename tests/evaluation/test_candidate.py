"""Candidates: everything that can be judged, and what is said of what cannot."""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import numpy as np
import pytest

from watchband.core.errors import ConfigError, DataError, PointsShapeError, UnknownNameError
from watchband.detectors import Ewma
from watchband.evaluation import candidate as module
from watchband.evaluation.candidate import candidate, name_of, score
from watchband.evaluation.judge import judge
from watchband.evaluation.program import Program

TIMES = np.arange(5, dtype=np.int64) * 1_500_000_000
VALUES = np.array([1.0, 2, np.nan, -4, 5])


def absolute(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.abs(values)


def program(body: str, **limits: float) -> Program:
    text = "import sys, json\n" + body
    return Program(shlex.join([sys.executable, "-u", "-c", text]), **limits)


ECHO = "for line in sys.stdin: print(json.dumps(json.loads(line)['value']))"


def test_names_and_parameters() -> None:
    assert candidate("ewma:width=4") == Ewma(width=4.0)
    assert candidate(Ewma) == Ewma()  # type: ignore[arg-type]
    assert name_of(candidate("auto")) == "auto"
    with pytest.raises(UnknownNameError, match="Did you mean 'ewma'"):
        candidate("ewmaa")


def test_functions_and_imports() -> None:
    found = candidate(f"import:{__name__}:absolute") if __name__ in sys.modules else candidate(absolute)
    assert score(found, TIMES, VALUES).score.tolist()[3:] == [4.0, 5.0]
    assert candidate("import:watchband.detectors.ewma:Ewma") == Ewma()
    for wrong in ("import:nowhere.at.all:x", "import:math:nothing", "import:math"):
        with pytest.raises(ConfigError, match="import"):
            candidate(wrong)
    with pytest.raises(ConfigError, match="Expected a detector"):
        candidate("import:math:pi")


def test_entry_points_may_be_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("outside", "math:hypot", "watchband.detectors")

    def points(group: str) -> Any:
        return EntryPoints([point]).select(group=group)

    monkeypatch.setattr(module, "entry_points", points)
    assert candidate("outside")(3.0, 4.0) == 5.0  # type: ignore[operator]


def test_a_function_answers_for_every_point() -> None:
    with pytest.raises(PointsShapeError, match=r"shape \(4,\) for 5 points"):
        score(lambda t, v: v[1:], TIMES, VALUES)
    with pytest.raises(PointsShapeError, match="one number a point"):
        score(lambda t, v: "no", TIMES, VALUES)  # type: ignore[arg-type, return-value]


def test_a_program_scores_a_series() -> None:
    found = candidate(str(program(ECHO)))
    assert name_of(found).startswith("exec:")
    np.testing.assert_array_equal(score(found, TIMES, VALUES).score, [1, 2, np.nan, 0, 5])


def test_a_program_gets_times_and_values() -> None:
    check = 'print(1 if line == b\'{"time": "1970-01-01T00:00:01.5Z", "value": 2.0}\\n\' else 0)'
    found = program(f"for line in sys.stdin.buffer: {check}")
    assert found(TIMES, VALUES).tolist() == [0, 1, 0, 0, 0]


def test_a_program_may_answer_objects_and_null() -> None:
    body = "for k, line in enumerate(sys.stdin): print(['null', 'nan', '{\"score\": 2}', ' 3 ', '4e0'][k])"
    np.testing.assert_array_equal(program(body)(TIMES, VALUES), [np.nan, np.nan, 2, 3, 4])


def test_a_program_is_fed_live() -> None:
    with program(ECHO).open() as session:
        assert [session.score(int(t), v) for t, v in zip(TIMES[3:], VALUES[3:], strict=True)] == [-4.0, 5.0]


def test_many_points_do_not_block() -> None:
    values = np.arange(50_000.0)
    assert (program(ECHO)(np.arange(50_000), values) == values).all()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('out of luck')", r"ended before answer 1 of 5.*exit code 1.*out of luck"),
        ("for line in sys.stdin: print('high')", "gave 'high' as answer 1 of 5"),
        ("for line in sys.stdin: print('[1]')", "expected a number or null"),
        (ECHO + "\nprint(1)", "more answers than the 5 points"),
        (ECHO + "\nsys.exit(3)", "ended with exit code 3"),
        ("for line in list(sys.stdin)[1:]: print(1)", "ended before answer 5 of 5"),
    ],
)
def test_a_program_that_fails_says_why(body: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        program(body)(TIMES, VALUES)


def test_a_program_has_a_time_limit() -> None:
    sleeps = "import time\nfor line in sys.stdin: time.sleep(20)"
    with pytest.raises(DataError, match=r"no answer 1 of 5 within 0\.2 s"):
        program(sleeps, answer_seconds=0.2)(TIMES, VALUES)
    with pytest.raises(DataError, match="no answer 1 of 5"):
        program(sleeps, total_seconds=0.2)(TIMES, VALUES)


def test_a_program_that_does_not_read_is_refused() -> None:
    """What answers by itself neither blocks for ever before a full pipe nor fills memory with answers."""
    times, values = np.arange(20_000), np.arange(20_000.0)
    with pytest.raises(DataError, match="more answers than the 20000 points"):
        program("while True: print(1)")(times, values)
    just_enough = "import time\nfor k in range(20_000): print(1, flush=k == 19_999)\ntime.sleep(20)"
    with pytest.raises(DataError, match="without reading them all"):
        program(just_enough, answer_seconds=1.0)(times, values)


def test_what_is_no_program() -> None:
    with pytest.raises(DataError, match="cannot be started"):
        Program("a-program-that-nobody-has")(TIMES, VALUES)
    for wrong in ("", "'open"):
        with pytest.raises(ConfigError):
            Program(wrong)
    with pytest.raises(ConfigError, match="> 0"):
        Program("cat", answer_seconds=0)


def test_every_candidate_is_judged_alike() -> None:
    rng = np.random.default_rng(1)
    times, values = np.arange(3000, dtype=np.int64), np.abs(rng.normal(size=3000))
    values[2000] = 40
    judged = judge(absolute, times, values, score(absolute, times, values), 1440)
    assert 2000 in judged.opened
    assert judged.alert_score[2000] > 1
