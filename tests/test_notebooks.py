"""The notebooks of ``examples``: every one runs, and what it stores is what a run gives."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.notebooks import FOLDER, differences, executed, load, notebooks, written

BYTES_MAX = 200_000
NAMES = [path.name for path in notebooks()]


def test_there_are_six_and_the_readme_names_them_in_order() -> None:
    page = (FOLDER / "README.md").read_text()
    assert len(NAMES) == 6
    assert sorted(NAMES, key=page.index) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_what_a_run_gives(name: str) -> None:
    """After a change of a detector: python -m tools.notebooks --write, and read what changed."""
    stored = load(FOLDER / name)
    assert differences(stored, executed(stored)) == []


@pytest.mark.parametrize("name", NAMES)
def test_stored_files_are_small_and_plain(name: str) -> None:
    path = FOLDER / name
    assert path.stat().st_size <= BYTES_MAX
    notebook = load(path)
    assert path.read_text() == written(notebook), "written by the tool, so that only what changed differs"
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        ast.parse("".join(cell["source"]))  # no magic: the cells are Python


def test_a_stored_output_that_is_not_given_any_more_is_found() -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": ["print(6 * 7)\n", "'x'"], "outputs": []}
    notebook = {"cells": [cell], "metadata": {}}
    fresh = executed(notebook)
    assert ["".join(o.get("text", "")) for o in fresh["cells"][0]["outputs"]] == ["42\n", ""]
    assert differences(fresh, executed(notebook)) == []
    fresh["cells"][0]["outputs"][0]["text"] = ["41\n"]
    assert len(differences(fresh, executed(notebook))) == 1
    fresh["cells"][0]["metadata"] = {"tags": ["varies"]}
    assert differences(fresh, executed(notebook)) == []


def test_a_path_of_this_machine_and_a_flood_are_refused() -> None:
    def made(source: str) -> dict[str, object]:
        return {"cells": [{"cell_type": "code", "metadata": {}, "source": [source], "outputs": []}]}

    with pytest.raises(ValueError, match="Cell 1 names"):
        executed(made("import os; print(os.getcwd())"))
    with pytest.raises(ValueError, match="Show less"):
        executed(made("print('x' * 9000)"))


def test_a_run_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    executed({"cells": [{"cell_type": "code", "metadata": {}, "source": ["open('x', 'w').close()"], "outputs": []}]})
    assert list(tmp_path.iterdir()) == []
