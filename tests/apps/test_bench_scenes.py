"""``watchband bench scenes``: table, JSON, picture, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from watchband.apps.cli.main import app
from watchband.apps.library.scenes import view_of
from watchband.evaluation.scenarios.catalogue import SCENES
from watchband.evaluation.scenarios.scene import perform


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", "scenes", *arguments])


def test_a_table_says_what_was_held() -> None:
    done = run("late", "duplicated", "--detector", "light", "--seeds", "2")
    assert done.exit_code == 0
    assert "✓ held" in done.stdout
    assert "2 of 2 verdicts: every promise held, in 4 plays." in done.stdout


def test_what_is_not_held_is_named_and_ends_with_code_1() -> None:
    done = run("outage-hours", "--detector", "rolling_zscore", "--seeds", "1", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    (scene,) = document["scenes"]
    assert scene["sources"] == list(SCENES["outage-hours"].sources)
    (verdict,) = scene["verdicts"]
    assert not verdict["held"]
    assert not document["held"]
    broken = [finding for finding in verdict["findings"] if not finding["held"]]
    assert all(finding["promise"] and finding["measured"] for finding in broken)
    told = run("outage-hours", "--detector", "rolling_zscore", "--seeds", "1")
    assert "✗ not held, not promised" in " ".join(told.stdout.split())


def test_one_scene_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "scene.png"
    assert run("two-incidents", "--detector", "light", "--seeds", "1", "--plot", str(picture)).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    done = run("late", "gap", "--plot", str(picture))
    assert done.exit_code == 2
    assert "--plot draws one scene" in done.output


def test_a_picture_shows_what_happens_and_what_is_around_it() -> None:
    course = perform(SCENES["two-incidents"].play(0), "light")
    view = view_of(course)
    first, last = course.play.happenings[0].start, course.play.happenings[-1].end
    assert view.times[0] < first < last < view.times[-1]
    assert len(view) < len(course.results)
    assert {alert.opened for alert in view.alerts} <= {alert.opened for alert in course.alerts}
    assert len(view.alerts) >= 2


def test_unknown_names_are_refused_in_one_line() -> None:
    for arguments in (("no-such-scene",), ("late", "--detector", "nothing")):
        done = run(*arguments)
        assert done.exit_code == 2
        assert done.output.startswith("watchband: ")
